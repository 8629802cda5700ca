// Members of a consumer group that still speak the classic protocol, while a group migrates: to them its
// epochs are generations, and a rebalance is that they are told to join again until they own what they
// should.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/uuid.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/consumer_protocol.h"
#include "coordinator/group/migration.h"
#include "coordinator/group/records.h"

namespace milena::coordinator {

using protocol::HeartbeatRequest;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;
using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;
using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;

namespace {

constexpr int kMemberIdRequiredVersion = 4;  // KIP-394

// Some protocol of the request is known to all classic members.
bool supports(const ConsumerGroup& group, const JoinGroupRequest& request,
              const std::vector<ClassicProtocol>& protocols) {
  if (request.protocol_type != kConsumerProtocolType) return false;
  for (const ClassicProtocol& offered : protocols) {
    std::size_t known = 0;
    for (const ConsumerGroupMember& member : group.members()) {
      if (!member.classic) continue;
      for (const ClassicProtocol& each : member.classic->protocols)
        known += each.name == offered.name ? 1 : 0;
    }
    if (known == group.classic_member_count()) return true;
  }
  return false;
}

Assignment owned_partitions(const protocol::ConsumerProtocolSubscription& subscription,
                            const MetadataView& metadata) {
  Assignment owned;
  for (const auto& topic : subscription.owned_partitions) {
    const auto known = metadata.topic(topic.topic);
    if (!known || topic.partitions.empty()) continue;
    auto& partitions = owned[known->id];
    for (const protocol::PartitionId partition : topic.partitions) partitions.push_back(partition.value);
    sort_unique(partitions);
  }
  return owned;
}

Assignment without_epochs(const OwnedPartitions& owned) {
  Assignment assignment;
  for (const auto& [topic_id, partitions] : owned) {
    for (const OwnedPartition& each : partitions) assignment[topic_id].push_back(each.partition);
  }
  return assignment;
}

}  // namespace

void ConsumerGroups::join_classic(Group& group, ReplyToken token, const RequestContext& context,
                                  const JoinGroupRequest& request, GroupOutcome& out) {
  auto answer = decide_join(group, context, request, out);
  if (answer) {
    out.reply(token, *answer);
    return;
  }
  if (auto undo = out.take_undo()) undo(out);
  out.reply(token, join_error({}, answer.error().code));
}

Decision<JoinGroupResponse> ConsumerGroups::decide_join(Group& group, const RequestContext& context,
                                                        const JoinGroupRequest& request, GroupOutcome& out) {
  const ConsumerGroup& g = *group.consumer;
  if (store_.config->consumer_migration_policy == MigrationPolicy::kDisabled) {
    return refuse(ErrorCode::kInconsistentGroupProtocol, "group migration is disabled");
  }
  auto protocols = protocols_of(request);
  const bool is_unknown = request.member_id.empty();
  std::string member_id = is_unknown ? Uuid::random(store_.rng).to_string() : std::string(request.member_id);
  MILENA_CHECK(check_size(g, member_id, request.group_instance_id));
  if (!supports(g, request, protocols)) {
    return refuse(ErrorCode::kInconsistentGroupProtocol, "the member's protocols are not supported");
  }
  if (is_unknown && !request.group_instance_id && context.api_version >= kMemberIdRequiredVersion) {
    return join_error(out.memory().text(member_id), ErrorCode::kMemberIdRequired);
  }
  MILENA_TRY(Wish wish, find_or_join_classic(g, std::move(member_id), request));
  const auto subscription = read_subscription(protocols.front().metadata, out.scratch());
  if (!subscription) return refuse(ErrorCode::kInconsistentGroupProtocol, "malformed subscription");

  wish.member = wish.before;
  if (request.group_instance_id) wish.member.instance_id = std::string(*request.group_instance_id);
  if (const auto& rack = subscription->rack_id; rack && !rack->empty()) wish.member.rack_id = *rack;
  if (request.rebalance_timeout_ms != -1) wish.member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  wish.member.subscribed_topics = TopicNames(subscription->topics.begin(), subscription->topics.end());
  wish.member.subscribed_regex.clear();
  wish.member.client_id = context.client_id;
  wish.member.client_host = context.client_host;
  wish.member.classic = {request.session_timeout_ms, std::move(protocols)};
  wish.reported = owned_partitions(*subscription, *store_.metadata);

  const ConsumerGroupMember* owner =
      request.group_instance_id ? g.find_static(*request.group_instance_id) : nullptr;
  std::optional<protocol::GroupMetadataValue> downgraded;
  if (owner != nullptr && !owner->classic) {
    downgraded = convert_to_classic(group, {}, Replacement{owner->id, wish.member_id, &wish.member},
                                    *store_.config, *store_.metadata, store_.now.wall_ms, out.scratch());
  }
  MILENA_TRY(const Fulfilled fulfilled, fulfill(group, wish, context.topics, !downgraded, out));

  JoinGroupResponse response;
  response.member_id = out.memory().text(wish.member_id);
  response.generation_id = fulfilled.member.epoch;
  response.protocol_type = kConsumerProtocolType;
  response.protocol_name = out.memory().text(wish.member.classic->protocols.front().name);
  if (downgraded) {
    // The last member that spoke the consumer protocol is replaced: the group goes back to being classic, and
    // what was decided for the consumer group does not matter any more.
    out.discard_records();
    append_consumer_group_tombstones(out, group.id, g);
    append_classic_group(out, group.id, *downgraded);
    if (fulfilled.rebalance_needed) {
      out.then(0, {}, [this, id = group.id](GroupOutcome& next) {
        classic_.prepare_rebalance(*store_.groups.find(id), RebalanceCause::kProtocolChange, next);
      });
    }
    return response;
  }
  const std::int32_t sync_timeout_ms = wish.member.rebalance_timeout_ms;
  out.then(0, {}, [this, group_id = group.id, sync_timeout_ms, id = wish.member_id](GroupOutcome&) {
    const Group& replayed = *store_.groups.find(group_id);
    ConsumerGroupMember& member = *replayed.consumer->find(id);
    member.join_timer.cancel();
    member.session_timer.arm(store_.after(store_.session_timeout_ms(replayed, member)));
    member.sync_timer.arm(store_.after(sync_timeout_ms));
  });
  return response;
}

Decision<ConsumerGroups::Wish> ConsumerGroups::find_or_join_classic(const ConsumerGroup& group,
                                                                    std::string member_id,
                                                                    const JoinGroupRequest& request) const {
  Wish wish;
  if (!request.group_instance_id) {
    if (const ConsumerGroupMember* existing = group.find(member_id)) wish.before = *existing;
  } else {
    const ConsumerGroupMember* owner = group.find_static(*request.group_instance_id);
    if (!request.member_id.empty()) {
      if (owner == nullptr) return refuse(ErrorCode::kUnknownMemberId, "the instance id is unknown");
      if (owner->id != member_id)
        return refuse(ErrorCode::kFencedInstanceId, "another member has the instance id");
      wish.before = *owner;
    } else if (owner != nullptr) {
      // No goodbye is asked for: the classic protocol has none for static members.
      wish.replaced_id = owner->id;
      wish.before = *owner;
      wish.before.epoch = kJoinEpoch;
      wish.before.previous_epoch = 0;
    }
  }
  wish.member_id = std::move(member_id);
  return wish;
}

std::expected<ConsumerGroupMember*, ErrorCode> ConsumerGroups::find_classic(
    ConsumerGroup& group, std::string_view member_id, std::optional<std::string_view> instance_id,
    std::int32_t generation) const {
  ConsumerGroupMember* member = instance_id ? group.find_static(*instance_id) : group.find(member_id);
  if (member == nullptr) return std::unexpected(ErrorCode::kUnknownMemberId);
  if (member->id != member_id) return std::unexpected(ErrorCode::kFencedInstanceId);
  if (!member->classic) return std::unexpected(ErrorCode::kUnknownMemberId);
  if (member->epoch != generation) return std::unexpected(ErrorCode::kIllegalGeneration);
  return member;
}

void ConsumerGroups::sync_classic(Group& group, ReplyToken token, const SyncGroupRequest& request,
                                  GroupOutcome& out) {
  ConsumerGroup& g = *group.consumer;
  const auto refuse_with = [&](ErrorCode error) { out.reply(token, SyncGroupResponse{.error_code = error}); };
  const auto found = find_classic(g, request.member_id, request.group_instance_id, request.generation_id);
  if (!found) return refuse_with(found.error());
  ConsumerGroupMember& member = **found;
  MILENA_ASSERT(member.classic.has_value(), "no other member is found here");
  const ClassicProtocol& joined_with = member.classic->protocols.front();
  if ((request.protocol_type && *request.protocol_type != kConsumerProtocolType) ||
      (request.protocol_name && *request.protocol_name != joined_with.name)) {
    return refuse_with(ErrorCode::kInconsistentGroupProtocol);
  }
  // There is a newer target to join for; unless the member has to give up partitions first, for which it has
  // joined already.
  if (g.assignment_epoch > member.epoch && member.state != MemberState::kUnrevoked) {
    if (!member.join_timer.armed()) member.join_timer.arm(store_.after(member.rebalance_timeout_ms));
    return refuse_with(ErrorCode::kRebalanceInProgress);
  }
  member.sync_timer.cancel();
  member.session_timer.arm(store_.after(store_.session_timeout_ms(group, member)));
  SyncGroupResponse response;
  response.protocol_type = request.protocol_type;
  response.protocol_name = request.protocol_name;
  const auto version = consumer_protocol_version(joined_with.metadata).value_or(0);
  response.assignment = as_bytes(
      out.memory().text(write_assignment(without_epochs(member.assigned), *store_.metadata, version)));
  out.reply(token, response);
}

ErrorCode ConsumerGroups::heartbeat_classic(Group& group, const HeartbeatRequest& request) {
  ConsumerGroup& g = *group.consumer;
  const auto found = find_classic(g, request.member_id, request.group_instance_id, request.generation_id);
  if (!found) return found.error();
  ConsumerGroupMember& member = **found;
  member.session_timer.arm(store_.after(store_.session_timeout_ms(group, member)));
  const bool must_join = member.epoch < g.assignment_epoch || member.state == MemberState::kUnrevoked ||
                         (member.state == MemberState::kUnreleased && !g.waits_for_others(member));
  if (!must_join) return ErrorCode::kNone;
  if (!member.join_timer.armed()) member.join_timer.arm(store_.after(member.rebalance_timeout_ms));
  return ErrorCode::kRebalanceInProgress;
}

void ConsumerGroups::leave_classic(Group& group, const LeaveGroupRequest& request,
                                   std::span<LeaveGroupResponse::MemberResponse> results, GroupOutcome& out) {
  ConsumerGroup& g = *group.consumer;
  std::vector<std::string> leaving;
  for (std::size_t i = 0; i < request.members.size(); ++i) {
    const auto& asked = request.members[i];
    const ConsumerGroupMember* member =
        asked.group_instance_id ? g.find_static(*asked.group_instance_id) : g.find(asked.member_id);
    // An administrator removes a static member by its instance id alone.
    const bool by_instance_alone = asked.group_instance_id && asked.member_id.empty();
    if (member == nullptr) {
      results[i].error_code = ErrorCode::kUnknownMemberId;
    } else if (!by_instance_alone && member->id != asked.member_id) {
      results[i].error_code = ErrorCode::kFencedInstanceId;
    } else if (std::ranges::find(leaving, member->id) == leaving.end()) {
      leaving.push_back(member->id);
    }
  }
  fence_members(group, leaving, out);
}

}  // namespace milena::coordinator
