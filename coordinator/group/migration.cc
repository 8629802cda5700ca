#include "coordinator/group/migration.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "coordinator/group/consumer_protocol.h"
#include "coordinator/group/records.h"

namespace milena::coordinator {

using protocol::GroupMetadataValue;

namespace {

Decision<ConsumerMember> to_consumer_member(const ClassicGroup& group, const ClassicMember& member,
                                            std::string_view chosen_protocol, const MetadataView& metadata) {
  Arena arena;
  const auto malformed = [] {
    return refuse(
        ErrorCode::kGroupIdNotFound,
        "Cannot upgrade the classic group to a consumer group because the embedded consumer protocol is "
        "malformed.");
  };
  const std::string* blob = member.metadata(chosen_protocol);
  if (blob == nullptr) return malformed();
  const auto subscription = read_subscription(*blob, arena);
  if (!subscription) return malformed();
  ConsumerMember out;
  // Who joined and has not synced yet owns nothing.
  if (!member.assignment.empty()) {
    const auto assignment = read_assignment(member.assignment, arena);
    if (!assignment) return malformed();
    if (const auto& user_data = assignment->user_data; user_data && !user_data->empty()) {
      return refuse(
          ErrorCode::kGroupIdNotFound,
          "Cannot upgrade the classic group to a consumer group because an unsupported custom assignor is "
          "in use. Please refer to the documentation or switch to a default assignor before re-attempting "
          "the upgrade.");
    }
    for (const auto& [topic_id, partitions] : to_assignment(*assignment, metadata)) {
      for (const std::int32_t partition : partitions)
        out.assigned[topic_id].push_back({partition, group.generation});
    }
  }
  out.instance_id = member.instance_id;
  if (const auto& rack = subscription->rack_id; rack && !rack->empty()) out.rack_id = *rack;
  out.client_id = member.client_id;
  out.client_host = member.client_host;
  out.subscribed_topics = TopicNames(subscription->topics.begin(), subscription->topics.end());
  out.rebalance_timeout_ms = member.rebalance_timeout_ms;
  out.classic = {member.session_timeout_ms, member.protocols};
  out.epoch = out.previous_epoch = group.generation;
  return out;
}

}  // namespace

Decision<void> convert_to_consumer(const ClassicGroup& group, const GroupConfig& config,
                                   const MetadataView& metadata, TopicHashes& hashes, Group& converted) {
  const auto refused = [](const char* why) {
    return refuse(ErrorCode::kGroupIdNotFound,
                  std::string("Cannot upgrade the classic group to a consumer group because ") + why);
  };
  if (!config.upgrades()) return refused("online upgrade is disabled.");
  if (!group.uses_consumer_protocol())
    return refused("the group does not use the consumer embedded protocol.");
  if (group.members().size() > static_cast<std::size_t>(config.consumer_max_size)) {
    return refused("the group size exceeds the consumer group maximum size.");
  }
  // Before the first generation nothing has been chosen.
  std::optional<std::string_view> chosen = group.vote();
  if (group.protocol) chosen = *group.protocol;
  ConsumerGroup& out = *converted.consumer;
  out.epoch = out.assignment_epoch = group.generation;
  for (const ClassicMember& member : group.members()) {
    MILENA_TRY(ConsumerMember as_consumer, to_consumer_member(group, member, chosen.value_or(""), metadata));
    Assignment target;
    for (const auto& [topic_id, partitions] : as_consumer.assigned) {
      for (const OwnedPartition& each : partitions) target[topic_id].push_back(each.partition);
    }
    out.set_target(member.id, std::move(target));
    out.update(member.id, [&](ConsumerMember& fresh) { fresh = std::move(as_consumer); });
  }
  const GroupChange change{.group = out,
                           .regexes = out.regexes(),
                           .removed = {},
                           .member_id = {},
                           .member = nullptr,
                           .target = nullptr};
  out.metadata_hash = metadata_hash(change, hashes, metadata);
  return {};
}

void append_consumer_group(GroupOutcome& out, const Group& group) {
  const ConsumerGroup& g = *group.consumer;
  for (const ConsumerGroupMember& member : g.members()) append_member(out, group.id, member.id, member);
  append_group_epoch(out, group.id, g.epoch, g.metadata_hash);
  for (const auto& [member_id, target] : g.targets()) append_target(out, group.id, member_id, target);
  append_target_epoch(out, group.id, g.assignment_epoch, g.assignment_timestamp_ms);
  for (const ConsumerGroupMember& member : g.members())
    append_current_assignment(out, group.id, member.id, member);
}

std::optional<GroupMetadataValue> convert_to_classic(const Group& group, std::span<const std::string> leaving,
                                                     const std::optional<Replacement>& replacement,
                                                     const GroupConfig& config, const MetadataView& metadata,
                                                     std::int64_t now_ms, Arena& arena) {
  struct Member {
    std::string_view id;
    std::string_view target_of;  // whose target it takes over
    const ConsumerMember* member;
    const ClassicMembership* classic;
  };
  const ConsumerGroup& g = *group.consumer;
  if (!config.downgrades()) return std::nullopt;
  std::vector<Member> members;
  for (const ConsumerGroupMember& member : g.members()) {
    if (std::ranges::find(leaving, member.id) != leaving.end()) continue;
    const bool is_replaced = replacement && member.id == replacement->replaced_id;
    const std::string_view id = is_replaced ? replacement->member_id : std::string_view(member.id);
    const ConsumerMember* stays = is_replaced ? replacement->member : &member;
    if (!stays->classic) return std::nullopt;
    members.push_back({id, member.id, stays, &*stays->classic});
  }
  if (members.empty() || members.size() > static_cast<std::size_t>(config.group_max_size))
    return std::nullopt;

  // A classic group with those members votes for the protocol. Nothing of it is armed; it goes when this
  // returns.
  GroupTimers timers;
  Group scratch(group.id);
  scratch.classic = std::make_unique<ClassicGroup>(scratch, timers);
  for (const Member& each : members) {
    scratch.classic->add(std::string(each.id), each.member->instance_id, each.classic->protocols);
  }
  const auto chosen = scratch.classic->vote();
  if (!chosen) return std::nullopt;

  GroupMetadataValue value;
  value.protocol_type = kConsumerProtocolType;
  value.protocol = arena.text(*chosen);
  value.generation = g.epoch;
  value.leader = arena.text(members.front().id);
  value.current_state_timestamp = now_ms;
  value.members = arena.array<GroupMetadataValue::MemberMetadata>(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const ConsumerMember& member = *members[i].member;
    const std::string& blob = *scratch.classic->find(members[i].id)->metadata(*chosen);
    const auto version = consumer_protocol_version(blob);
    if (!version) return std::nullopt;
    const Assignment* target = g.target(members[i].target_of);
    auto& out = value.members[i];
    out.member_id = arena.text(members[i].id);
    if (member.instance_id) out.group_instance_id = arena.text(*member.instance_id);
    out.client_id = arena.text(member.client_id);
    out.client_host = arena.text(member.client_host);
    out.rebalance_timeout = member.rebalance_timeout_ms;
    out.session_timeout = members[i].classic->session_timeout_ms;
    out.subscription = as_bytes(arena.text(blob));
    out.assignment = as_bytes(
        arena.text(write_assignment(target == nullptr ? Assignment{} : *target, metadata, *version)));
  }
  return value;
}

}  // namespace milena::coordinator
