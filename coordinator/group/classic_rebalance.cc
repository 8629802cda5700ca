// How a classic group gets from one generation to the next: it collects its members, names a leader, stores
// what the leader assigns.
#include <algorithm>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "coordinator/group/classic_groups.h"
#include "coordinator/group/records.h"

namespace milena::coordinator {

using protocol::GroupMetadataValue;
using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;

GroupMetadataValue generation_record(const ClassicGroup& group, Arena& arena) {
  GroupMetadataValue value;
  if (group.protocol_type) value.protocol_type = *group.protocol_type;
  value.generation = group.generation;
  if (group.protocol) value.protocol = *group.protocol;
  if (group.leader) value.leader = *group.leader;
  value.current_state_timestamp = group.state_timestamp_ms;
  value.members = arena.array<GroupMetadataValue::MemberMetadata>(group.members().size());
  std::size_t i = 0;
  for (const ClassicMember& member : group.members()) {
    auto& out = value.members[i++];
    out.member_id = member.id;
    if (member.instance_id) out.group_instance_id = *member.instance_id;
    out.client_id = member.client_id;
    out.client_host = member.client_host;
    out.rebalance_timeout = member.rebalance_timeout_ms;
    out.session_timeout = member.session_timeout_ms;
    if (const std::string* metadata = group.protocol ? member.metadata(*group.protocol) : nullptr) {
      out.subscription = as_bytes(*metadata);
    }
    out.assignment = as_bytes(member.assignment);
  }
  return value;
}

GroupMetadataValue empty_generation_record(std::int64_t now_ms) {
  GroupMetadataValue value;
  value.current_state_timestamp = now_ms;
  return value;
}

void ClassicGroups::rebalance_or_complete(Group& group, RebalanceCause cause, GroupOutcome& out) {
  if (group.classic->state == ClassicState::kPreparingRebalance) {
    maybe_complete_join(group, out);
  } else {
    prepare_rebalance(group, cause, out);
  }
}

void ClassicGroups::prepare_rebalance(Group& group, RebalanceCause cause, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  store_.rebalances.add(cause);
  for (ClassicMember& member : g.members()) {
    g.expect_sync(member, false);
    if (g.state != ClassicState::kCompletingRebalance) continue;
    member.assignment.clear();
    if (const ReplyToken waiting = g.take_sync(member); waiting != 0) {
      out.reply(waiting, SyncGroupResponse{.error_code = ErrorCode::kRebalanceInProgress});
      extend_session(member);
    }
  }
  g.sync_timer.cancel();
  const bool initial = g.state == ClassicState::kEmpty;
  g.state = ClassicState::kPreparingRebalance;
  const std::int32_t delay_ms = store_.config->group_initial_rebalance_delay_ms;
  if (initial && delay_ms > 0) {
    // Members tend to start together: wait for the others before the first generation.
    g.initial = true;
    g.member_added = false;
    g.initial_remaining_ms = std::max(g.rebalance_timeout_ms() - delay_ms, 0);
    g.initial_timer.arm(store_.after(delay_ms));
  } else if (g.all_joined() || initial) {
    complete_join(group, out);
  } else {
    g.join_timer.arm(store_.after(g.rebalance_timeout_ms()));
  }
}

void ClassicGroups::initial_delay_over(Group& group, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  if (!g.member_added || g.initial_remaining_ms == 0) {
    complete_join(group, out);
    return;
  }
  const std::int32_t delay_ms =
      std::min(store_.config->group_initial_rebalance_delay_ms, g.initial_remaining_ms);
  g.member_added = false;
  g.initial_remaining_ms -= delay_ms;
  g.initial_timer.arm(store_.after(delay_ms));
}

void ClassicGroups::maybe_complete_join(Group& group, GroupOutcome& out) {
  const ClassicGroup& g = *group.classic;
  if (g.state == ClassicState::kPreparingRebalance && !g.initial && g.all_joined()) complete_join(group, out);
}

void ClassicGroups::complete_join(Group& group, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  g.join_timer.cancel();
  g.initial_timer.cancel();
  g.initial = false;
  // A static member may be restarting: only its session timeout removes it.
  std::vector<std::string> absent;
  ClassicMember* first_here = nullptr;
  for (ClassicMember& member : g.members()) {
    if (member.awaiting_join == 0 && !member.instance_id) absent.push_back(member.id);
    if (member.awaiting_join != 0 && first_here == nullptr) first_here = &member;
  }
  for (const std::string& id : absent) g.remove(id);
  if (!g.members().empty()) {
    if (first_here == nullptr) {
      // Nobody could lead: wait until somebody joins, or the sessions end. Members may allow no time at all;
      // looking again at once would never end.
      g.join_timer.arm(store_.after(std::max(g.rebalance_timeout_ms(), kAbsentLeaderRetryMs)));
      return;
    }
    const ClassicMember* leader = g.find(g.leader.value_or(""));
    if (leader == nullptr || leader->awaiting_join == 0) g.leader = first_here->id;
  }
  begin_generation(group, out);
}

void ClassicGroups::begin_generation(Group& group, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  g.generation = next_epoch(g.generation);
  g.state_timestamp_ms = store_.now.wall_ms;
  if (g.members().empty()) {
    g.state = ClassicState::kEmpty;
    g.protocol.reset();
    append_classic_group(out, group.id, generation_record(g, out.scratch()));
    return;
  }
  const auto elected = g.vote();
  MILENA_ASSERT(elected.has_value(), "members share a protocol: none is let in otherwise");
  g.protocol = std::string(*elected);
  g.state = ClassicState::kCompletingRebalance;
  for (ClassicMember& member : g.members()) {
    member.is_new = false;
    g.expect_sync(member, true);
    extend_session(member);
    if (const ReplyToken waiting = g.take_join(member); waiting != 0) {
      out.reply(waiting, join_answer(g, member, g.is_leader(member.id), out.memory()));
    }
  }
  g.sync_timer.arm(store_.after(g.rebalance_timeout_ms()));
}

void ClassicGroups::sync(Group& group, ReplyToken token, const SyncGroupRequest& request, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  const auto refuse = [&](ErrorCode error) { out.reply(token, SyncGroupResponse{.error_code = error}); };
  const auto differs = [](const std::optional<std::string_view>& asked,
                          const std::optional<std::string>& actual) {
    return asked && actual && *asked != *actual;
  };
  if (const ErrorCode error = validate(g, request.member_id, request.group_instance_id);
      error != ErrorCode::kNone) {
    return refuse(error);
  }
  if (request.generation_id != g.generation) return refuse(ErrorCode::kIllegalGeneration);
  if (differs(request.protocol_type, g.protocol_type) || differs(request.protocol_name, g.protocol)) {
    return refuse(ErrorCode::kInconsistentGroupProtocol);
  }
  ClassicMember& member = *g.find(request.member_id);
  switch (g.state) {
    case ClassicState::kEmpty:
      return refuse(ErrorCode::kUnknownMemberId);
    case ClassicState::kPreparingRebalance:
      return refuse(ErrorCode::kRebalanceInProgress);
    case ClassicState::kCompletingRebalance:
      if (const ReplyToken earlier = g.await_sync(member, token); earlier != 0) {
        out.reply(earlier, SyncGroupResponse{.error_code = ErrorCode::kRebalanceInProgress});
      }
      break;
    case ClassicState::kStable: {
      SyncGroupResponse response;
      if (g.protocol_type) response.protocol_type = out.memory().text(*g.protocol_type);
      if (g.protocol) response.protocol_name = out.memory().text(*g.protocol);
      response.assignment = as_bytes(out.memory().text(member.assignment));
      out.reply(token, response);
      break;
    }
  }
  g.expect_sync(member, false);
  if (g.all_synced()) g.sync_timer.cancel();
  if (g.state == ClassicState::kCompletingRebalance && g.is_leader(member.id))
    store_assignment(group, request, out);
}

void ClassicGroups::store_assignment(Group& group, const SyncGroupRequest& request, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  std::unordered_map<std::string_view, BytesView> assigned;
  for (const auto& each : request.assignments) assigned[each.member_id] = each.assignment;
  auto record = generation_record(g, out.scratch());
  // The record makes the group Stable when it is replayed. Members whom the leader forgot get nothing, and
  // members that do not exist stay unheard of.
  std::size_t i = 0;
  for (ClassicMember& member : g.members()) {
    const auto at = assigned.find(member.id);
    const BytesView assignment = at == assigned.end() ? BytesView{} : at->second;
    record.members[i++].assignment = assignment;
    const ReplyToken waiting = g.take_sync(member);
    if (waiting == 0) continue;
    SyncGroupResponse response;
    if (g.protocol_type) response.protocol_type = out.memory().text(*g.protocol_type);
    if (g.protocol) response.protocol_name = out.memory().text(*g.protocol);
    response.assignment = as_bytes(out.memory().text(as_text(assignment)));
    out.reply(waiting, response);
    // A session that ran out while its member waited here did not count, and no heartbeat has restarted it.
    extend_session(member);
  }
  append_classic_group(out, group.id, record);
  // Members were told that the assignment failed, and nothing but a new generation gives them another one.
  out.if_append_fails([this, id = group.id](GroupOutcome& next) {
    prepare_rebalance(*store_.groups.find(id), RebalanceCause::kOther, next);
  });
}

void ClassicGroups::sync_expired(Group& group, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  std::vector<std::string> silent;
  for (const ClassicMember& member : g.members()) {
    if (member.must_sync) silent.push_back(member.id);
  }
  if (silent.empty()) return;
  for (const std::string& id : silent) {
    dismiss(g, *g.find(id), ErrorCode::kUnknownMemberId, out);
    g.remove(id);
  }
  prepare_rebalance(group, RebalanceCause::kSyncTimeout, out);
}

void ClassicGroups::replay(Group& group, const GroupMetadataValue& value) {
  if (!group.classic) group.classic = std::make_unique<ClassicGroup>(group, store_.timers);
  ClassicGroup& g = *group.classic;
  g.generation = value.generation;
  g.protocol_type.reset();
  if (!value.protocol_type.empty()) g.protocol_type = std::string(value.protocol_type);
  g.protocol.reset();
  if (value.protocol) g.protocol = std::string(*value.protocol);
  g.state_timestamp_ms = value.current_state_timestamp;
  g.state = value.members.empty() ? ClassicState::kEmpty : ClassicState::kStable;
  const std::string protocol_name = g.protocol.value_or("");
  std::unordered_set<std::string_view> seen;
  std::vector<std::string_view> listed;
  for (const auto& written : value.members) {
    if (!seen.insert(written.member_id).second) continue;
    listed.push_back(written.member_id);
    // Live, the member is here already and knows more protocols than the one that the record tells of.
    ClassicMember* member = g.find(written.member_id);
    std::optional<std::string> instance_id;
    if (written.group_instance_id) instance_id = std::string(*written.group_instance_id);
    if (member == nullptr && instance_id) {
      member = g.find_static(*instance_id);
      if (member != nullptr && seen.contains(member->id)) {
        // Two members of one instance id: only a damaged log has them.
        member = nullptr;
        instance_id.reset();
      }
      if (member != nullptr) g.rename(*member, std::string(written.member_id));
    }
    if (member == nullptr) {
      member = &g.add(std::string(written.member_id), std::move(instance_id), {});
      if (store_.live) member->session.arm(store_.after(written.session_timeout));
    }
    const std::string* metadata = member->metadata(protocol_name);
    if (metadata == nullptr || *metadata != as_text(written.subscription)) {
      g.set_protocols(*member, {{protocol_name, std::string(as_text(written.subscription))}});
    }
    member->client_id = written.client_id;
    member->client_host = written.client_host;
    // Records of version 0 know one timeout.
    member->rebalance_timeout_ms =
        written.rebalance_timeout == -1 ? written.session_timeout : written.rebalance_timeout;
    member->session_timeout_ms = written.session_timeout;
    member->assignment = as_text(written.assignment);
  }
  std::vector<std::string> gone;
  for (const ClassicMember& member : g.members()) {
    if (!seen.contains(member.id)) gone.push_back(member.id);
  }
  for (const std::string& id : gone) g.remove(id);
  // Whatever the records before this one were: the order decides who leads next.
  g.members().arrange(listed);
  // A leader that is no member would break every rule that leans on it; only a damaged log has one.
  if (value.leader && g.find(*value.leader) != nullptr) g.leader = std::string(*value.leader);
}

}  // namespace milena::coordinator
