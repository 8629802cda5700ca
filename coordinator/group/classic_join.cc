// JoinGroup: how a member gets into a classic group, or back into it.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "coordinator/group/classic_groups.h"
#include "coordinator/group/records.h"
#include "protocol/codec.h"

namespace milena::coordinator {

using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;

namespace {

// Versions of JoinGroup from which on ...
constexpr int kMemberIdRequiredVersion = 4;  // a dynamic member is given its id before it joins (KIP-394)
constexpr int kSkipAssignmentVersion = 9;    // a leader can be told that there is nothing to assign (KIP-814)

std::size_t metadata_bytes(const JoinGroupRequest& request) {
  std::size_t bytes = 0;
  for (const auto& offered : request.protocols) bytes += offered.name.size() + offered.metadata.size();
  return bytes;
}

}  // namespace

std::vector<ClassicProtocol> protocols_of(const JoinGroupRequest& request) {
  std::vector<ClassicProtocol> protocols;
  std::map<std::string_view, bool> seen;
  for (const auto& offered : request.protocols) {
    if (!seen.emplace(offered.name, true).second) continue;
    protocols.push_back({std::string(offered.name), std::string(as_text(offered.metadata))});
  }
  return protocols;
}

JoinGroupResponse join_error(std::string_view member_id, ErrorCode error) {
  JoinGroupResponse response;
  response.error_code = error;
  response.member_id = member_id;
  return response;
}

JoinGroupResponse join_answer(const ClassicGroup& group, const ClassicMember& member, bool with_members,
                              Arena& memory) {
  JoinGroupResponse response;
  response.generation_id = group.generation;
  if (group.protocol_type) response.protocol_type = memory.text(*group.protocol_type);
  if (group.protocol) response.protocol_name = memory.text(*group.protocol);
  if (group.leader) response.leader = memory.text(*group.leader);
  response.member_id = memory.text(member.id);
  if (!with_members) return response;
  response.members = memory.array<JoinGroupResponse::JoinGroupResponseMember>(group.members().size());
  std::size_t i = 0;
  for (const ClassicMember& each : group.members()) {
    auto& listed = response.members[i++];
    listed.member_id = memory.text(each.id);
    if (each.instance_id) listed.group_instance_id = memory.text(*each.instance_id);
    if (const std::string* metadata = group.protocol ? each.metadata(*group.protocol) : nullptr) {
      listed.metadata = as_bytes(memory.text(*metadata));
    }
  }
  return response;
}

void ClassicGroups::join(Group& group, ReplyToken token, const RequestContext& context,
                         const JoinGroupRequest& request, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  if (!accepts(g, request.member_id)) {
    // With a lower group.max.size the last to rejoin are out.
    g.remove_pending(request.member_id);
    if (ClassicMember* member = g.find(request.member_id)) {
      dismiss(g, *member, ErrorCode::kUnknownMemberId, out);
      g.remove(request.member_id);
      maybe_complete_join(group, out);
    }
    out.reply(token, join_error({}, ErrorCode::kGroupMaxSizeReached));
    return;
  }
  const std::string_view echoed = out.memory().text(request.member_id);
  // A group's metadata is one record: what does not fit in one could never be stored.
  if (metadata_bytes(request) > static_cast<std::size_t>(store_.config->max_record_bytes)) {
    out.reply(token, join_error(echoed, ErrorCode::kMessageTooLarge));
    return;
  }
  if (!g.supports(request.protocol_type, protocols_of(request))) {
    out.reply(token, join_error(echoed, ErrorCode::kInconsistentGroupProtocol));
    return;
  }
  if (request.member_id.empty()) {
    join_as_new(group, token, context, request, out);
  } else {
    join_again(group, token, context, request, out);
  }
}

bool ClassicGroups::accepts(const ClassicGroup& group, std::string_view member_id) const {
  const auto max = static_cast<std::size_t>(store_.config->group_max_size);
  const ClassicMember* member = group.find(member_id);
  switch (group.state) {
    case ClassicState::kEmpty:
      return true;
    // Who is here already counts, not who is listed: members that do not rejoin make room.
    case ClassicState::kPreparingRebalance:
      return (member != nullptr && member->awaiting_join != 0) || group.awaiting_join_count() < max;
    case ClassicState::kCompletingRebalance:
    case ClassicState::kStable:
      return member != nullptr || group.members().size() < max;
  }
  return false;
}

std::string ClassicGroups::fresh_member_id(const ClassicGroup& group, std::string_view prefix) const {
  for (;;) {
    const std::string unique = "-" + random_member_id(store_.rng);
    // An id that the wire cannot carry whole would come back as another one: it does without the prefix.
    const bool fits = prefix.size() + unique.size() <= protocol::kMaxTextSize;
    std::string id = fits ? std::string(prefix) + unique : unique;
    // Chance does not make the same id twice, but a log may hold any.
    if (group.find(id) == nullptr && !group.is_pending(id)) return id;
  }
}

void ClassicGroups::join_as_new(Group& group, ReplyToken token, const RequestContext& context,
                                const JoinGroupRequest& request, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  std::string member_id = fresh_member_id(g, request.group_instance_id.value_or(context.client_id));
  if (request.group_instance_id) {
    if (ClassicMember* existing = g.find_static(*request.group_instance_id)) {
      replace_static(group, *existing, std::move(member_id), token, context, request, out);
    } else {
      add_member(group, std::move(member_id), token, context, request, out);
    }
    return;
  }
  if (context.api_version < kMemberIdRequiredVersion) {
    add_member(group, std::move(member_id), token, context, request, out);
    return;
  }
  if (g.pending_count() >= kMaxPendingMembers) {
    out.reply(token, join_error({}, ErrorCode::kGroupMaxSizeReached));
    return;
  }
  g.add_pending(member_id, store_.after(request.session_timeout_ms));
  out.reply(token, join_error(out.memory().text(member_id), ErrorCode::kMemberIdRequired));
}

void ClassicGroups::join_again(Group& group, ReplyToken token, const RequestContext& context,
                               const JoinGroupRequest& request, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  const std::string_view echoed = out.memory().text(request.member_id);
  // An id that was handed out belongs to a dynamic member.
  if (g.is_pending(request.member_id) && !request.group_instance_id) {
    add_member(group, std::string(request.member_id), token, context, request, out);
    return;
  }
  if (const ErrorCode error = validate(g, request.member_id, request.group_instance_id);
      error != ErrorCode::kNone) {
    auto response = join_error(echoed, error);
    response.protocol_name.reset();
    out.reply(token, response);
    return;
  }
  ClassicMember& member = *g.find(request.member_id);
  const bool leads = g.is_leader(member.id);
  const bool unchanged = member.protocols == protocols_of(request);
  switch (g.state) {
    case ClassicState::kPreparingRebalance:
      update_member(group, member, token, request, out);
      return;
    case ClassicState::kCompletingRebalance:
      // The same again: the first answer was lost, here it is once more.
      if (unchanged) {
        out.reply(token, join_answer(g, member, leads, out.memory()));
      } else {
        update_member(group, member, token, request, out);
      }
      return;
    case ClassicState::kStable:
      // A leader that joins wants a rebalance: it saw something that members' metadata does not show, new
      // partitions for instance. A follower gets the present generation, and its assignment by SyncGroup.
      if (leads || !unchanged) {
        update_member(group, member, token, request, out);
      } else {
        out.reply(token, join_answer(g, member, false, out.memory()));
      }
      return;
    case ClassicState::kEmpty:
      out.reply(token, join_error(echoed, ErrorCode::kUnknownMemberId));
      return;
  }
}

void ClassicGroups::await_join(ClassicGroup& group, ClassicMember& member, ReplyToken token,
                               GroupOutcome& out) {
  // A member that asks again, on another connection, has given up on its earlier request.
  if (const ReplyToken earlier = group.await_join(member, token); earlier != 0) {
    out.reply(earlier, join_error(out.memory().text(member.id), ErrorCode::kRebalanceInProgress));
  }
}

void ClassicGroups::add_member(Group& group, std::string member_id, ReplyToken token,
                               const RequestContext& context, const JoinGroupRequest& request,
                               GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  if (g.members().empty()) g.protocol_type = std::string(request.protocol_type);
  std::optional<std::string> instance_id;
  if (request.group_instance_id) instance_id = std::string(*request.group_instance_id);
  ClassicMember& member = g.add(std::move(member_id), std::move(instance_id), protocols_of(request));
  member.client_id = context.client_id;
  member.client_host = context.client_host;
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  member.is_new = true;
  member.session.arm(store_.after(kNewMemberJoinTimeoutMs));
  await_join(g, member, token, out);
  if (g.state == ClassicState::kPreparingRebalance && g.initial) g.member_added = true;
  rebalance_or_complete(group, RebalanceCause::kJoin, out);
}

void ClassicGroups::update_member(Group& group, ClassicMember& member, ReplyToken token,
                                  const JoinGroupRequest& request, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  g.set_protocols(member, protocols_of(request));
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  await_join(g, member, token, out);
  rebalance_or_complete(group, RebalanceCause::kJoin, out);
}

void ClassicGroups::replace_static(Group& group, ClassicMember& member, std::string new_id, ReplyToken token,
                                   const RequestContext& context, const JoinGroupRequest& request,
                                   GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  auto protocols = protocols_of(request);
  // Whoever still waits under the old id is not the member any more.
  dismiss(g, member, ErrorCode::kFencedInstanceId, out);
  if (g.state == ClassicState::kStable && g.vote(&member, protocols) == g.protocol) {
    replace_static_in_stable(group, member, std::move(new_id), token, context, request, std::move(protocols),
                             out);
    return;
  }
  g.rename(member, std::move(new_id));
  g.set_protocols(member, std::move(protocols));
  member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  member.session_timeout_ms = request.session_timeout_ms;
  extend_session(member);
  await_join(g, member, token, out);
  // The leader may be assigning to the old id at this moment: begin again.
  rebalance_or_complete(group, RebalanceCause::kJoin, out);
}

void ClassicGroups::replace_static_in_stable(Group& group, ClassicMember& member, std::string new_id,
                                             ReplyToken token, const RequestContext& context,
                                             const JoinGroupRequest& request,
                                             std::vector<ClassicProtocol> protocols, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  auto record = generation_record(g, out.scratch());
  const auto metadata = std::ranges::find(protocols, g.protocol, &ClassicProtocol::name);
  MILENA_ASSERT(metadata != protocols.end(), "the member still votes for the group's protocol");
  std::size_t i = 0;
  for (const ClassicMember& each : g.members()) {
    auto& written = record.members[i++];
    if (&each != &member) continue;
    written.member_id = out.scratch().text(new_id);
    written.rebalance_timeout = request.rebalance_timeout_ms;
    written.session_timeout = request.session_timeout_ms;
    written.subscription = as_bytes(out.scratch().text(metadata->metadata));
    if (g.is_leader(member.id)) record.leader = written.member_id;
  }
  append_classic_group(out, group.id, record);
  // Before version 9 a leader that is told that it leads would assign, to nobody's use: it is told the old
  // name.
  const std::string told_leader = g.leader.value_or("");
  const bool can_skip = context.api_version >= kSkipAssignmentVersion;
  out.then(token, JoinGroupResponse{},
           [this, group_id = group.id, token, can_skip, told_leader, id = std::move(new_id),
            protocols = std::move(protocols)](GroupOutcome& next) mutable {
             ClassicGroup& replayed = *store_.groups.find(group_id)->classic;
             ClassicMember& replaced = *replayed.find(id);
             replayed.set_protocols(replaced, std::move(protocols));
             extend_session(replaced);
             const bool leads = replayed.is_leader(id);
             auto answer = join_answer(replayed, replaced, leads && can_skip, next.memory());
             answer.skip_assignment = leads && can_skip;
             if (!can_skip) answer.leader = next.memory().text(told_leader);
             next.reply(token, answer);
           });
}

}  // namespace milena::coordinator
