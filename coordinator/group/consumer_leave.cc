// How members leave a consumer group: by saying so, by silence, or for a while.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/migration.h"
#include "coordinator/group/records.h"

namespace milena::coordinator {

Decision<ConsumerGroups::Response> ConsumerGroups::decide_leave(const Request& request, GroupOutcome& out) {
  Group* group = store_.groups.find(request.group_id);
  if (group == nullptr || !group->consumer) {
    return refuse(ErrorCode::kGroupIdNotFound,
                  group == nullptr ? "Group " + std::string(request.group_id) + " not found."
                                   : "Group " + std::string(request.group_id) + " is not a consumer group.");
  }
  const std::string member_id(request.member_id);
  const ConsumerGroupMember* member = nullptr;
  if (!request.instance_id) {
    member = group->consumer->find(member_id);
    if (member == nullptr) {
      return refuse(ErrorCode::kUnknownMemberId,
                    "Member " + member_id + " is not a member of group " + group->id + ".");
    }
  } else {
    const std::string instance_id(*request.instance_id);
    member = group->consumer->find_static(instance_id);
    if (member == nullptr)
      return refuse(ErrorCode::kUnknownMemberId, "Instance id " + instance_id + " is unknown.");
    if (member->id != member_id) {
      return refuse(ErrorCode::kFencedInstanceId, "Static member " + member_id + " with instance id " +
                                                      instance_id + " was fenced by member " + member->id +
                                                      ".");
    }
  }
  Response response;
  response.member_id = out.memory().text(member_id);
  response.member_epoch = request.member_epoch;
  if (request.instance_id && request.member_epoch == kStaticLeaveEpoch) {
    // It keeps its partitions, and its session runs: whoever comes back in time under its name gets them.
    ConsumerMember away = *member;
    away.epoch = kStaticLeaveEpoch;
    away.pending_revocation.clear();
    for (auto& [topic_id, partitions] : away.assigned) {
      for (OwnedPartition& each : partitions) each.epoch = 0;
    }
    append_current_assignment(out, group->id, member->id, away);
    return response;
  }
  fence_members(*group, std::span(&member_id, 1), out);
  return response;
}

void ConsumerGroups::time_out(Group& group, GroupTimer::Kind kind, std::string_view member_id,
                              GroupOutcome& out) {
  const std::string id(member_id);
  group.consumer->find(id)->timer(kind).arm(store_.after(kFenceRetryMs));
  fence_members(group, std::span(&id, 1), out);
}

void ConsumerGroups::fence_members(Group& group, std::span<const std::string> member_ids, GroupOutcome& out) {
  if (member_ids.empty()) return;
  const ConsumerGroup& g = *group.consumer;
  const auto classic = convert_to_classic(group, member_ids, std::nullopt, *store_.config, *store_.metadata,
                                          store_.now.wall_ms, out.scratch());
  if (classic) {
    append_consumer_group_tombstones(out, group.id, g);
    append_classic_group(out, group.id, *classic);
    // Not by reference: the group may have been forgotten and made anew in between.
    out.then(0, {}, [this, id = group.id](GroupOutcome& next) {
      classic_.prepare_rebalance(*store_.groups.find(id), RebalanceCause::kProtocolChange, next);
    });
    return;
  }
  ResolvedRegexes regexes = g.regexes();
  const GroupChange change{.group = g,
                           .regexes = regexes,
                           .removed = {member_ids.begin(), member_ids.end()},
                           .member_id = {},
                           .member = nullptr,
                           .target = nullptr};
  for (const std::string& id : member_ids) append_member_tombstones(out, group.id, id);
  for (const auto& [regex, resolved] : g.regexes()) {
    if (change.has_subscribers_of_regex(regex)) continue;
    append_regex_tombstone(out, group.id, regex);
    regexes.erase(regex);
  }
  append_group_epoch(out, group.id, next_epoch(g.epoch), metadata_hash(change, hashes_, *store_.metadata));
}

void ConsumerGroups::watch(const Group& group, ConsumerGroupMember& member, bool is_new) {
  if (!store_.live) return;
  if (is_new) member.session_timer.arm(store_.after(store_.session_timeout_ms(group, member)));
  // Classic members have timers for joining and syncing instead.
  if (member.state == MemberState::kUnrevoked && member.epoch > 0 && !member.classic) {
    member.rebalance_timer.arm(store_.after(member.rebalance_timeout_ms));
  } else {
    member.rebalance_timer.cancel();
  }
}

void ConsumerGroups::loaded(Group& group) {
  for (ConsumerGroupMember& member : group.consumer->members()) watch(group, member, true);
}

void ConsumerGroups::topic_changed(std::string_view topic) {
  hashes_.forget(topic);
  store_.groups.for_each([&](Group& group) {
    if (group.consumer && group.consumer->is_subscribed_to(topic)) group.consumer->metadata_checked = false;
  });
}

}  // namespace milena::coordinator
