#include "coordinator/group/records.h"

#include <algorithm>
#include <span>

#include "coordinator/runtime/record_codec.h"
#include "protocol/consumer_group_current_member_assignment_record.gen.h"
#include "protocol/consumer_group_member_metadata_record.gen.h"
#include "protocol/consumer_group_metadata_record.gen.h"
#include "protocol/consumer_group_partition_metadata_record.gen.h"
#include "protocol/consumer_group_regular_expression_record.gen.h"
#include "protocol/consumer_group_target_assignment_member_record.gen.h"
#include "protocol/consumer_group_target_assignment_metadata_record.gen.h"
#include "protocol/offset_commit_record.gen.h"

namespace milena::coordinator {

using namespace protocol;  // NOLINT(google-build-using-namespace): every record below is one of its messages

namespace {

// The versions that Kafka 4.3 writes. GroupMetadata stays at 3 for brokers that do not know flexible
// versions; an offset that says when it expires has no place in any version but 1.
constexpr std::int16_t kGroupMetadataVersion = 3;
constexpr std::int16_t kOffsetVersion = 4;
constexpr std::int16_t kExpiringOffsetVersion = 1;
constexpr std::int16_t kConsumerRecordVersion = 0;

std::span<std::string_view> views(const TopicNames& names, Arena& arena) {
  const auto out = arena.array<std::string_view>(names.size());
  std::ranges::copy(names, out.begin());
  return out;
}

std::optional<std::string_view> view(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>(*text) : std::nullopt;
}

std::span<ConsumerGroupCurrentMemberAssignmentValue::TopicPartitions> owned_partitions(
    const OwnedPartitions& owned, Arena& arena) {
  const auto topics = arena.array<ConsumerGroupCurrentMemberAssignmentValue::TopicPartitions>(owned.size());
  std::size_t t = 0;
  for (const auto& [id, partitions] : owned) {
    auto& topic = topics[t++];
    const auto epochs = arena.array<std::int32_t>(partitions.size());
    topic.topic_id = id;
    topic.partitions = arena.array<PartitionId>(partitions.size());
    for (std::size_t p = 0; p < partitions.size(); ++p) {
      topic.partitions[p] = partitions[p].partition;
      epochs[p] = partitions[p].epoch;
    }
    topic.assignment_epochs = epochs;
  }
  return topics;
}

}  // namespace

void append_offset(GroupOutcome& out, std::string_view group_id, std::string_view topic,
                   std::int32_t partition, const CommittedOffset& offset) {
  OffsetCommitValue value;
  value.offset = offset.offset;
  value.leader_epoch = offset.leader_epoch;
  value.metadata = offset.metadata;
  value.commit_timestamp = offset.commit_timestamp_ms;
  value.expire_timestamp = offset.expire_timestamp_ms;
  value.topic_id = offset.topic_id;
  append_record(out, OffsetCommitKey{.group = group_id, .topic = topic, .partition = partition}, value,
                offset.expire_timestamp_ms >= 0 ? kExpiringOffsetVersion : kOffsetVersion);
}

void append_offset_tombstone(GroupOutcome& out, std::string_view group_id, std::string_view topic,
                             std::int32_t partition) {
  append_tombstone(out, OffsetCommitKey{.group = group_id, .topic = topic, .partition = partition});
}

void append_classic_group(GroupOutcome& out, std::string_view group_id, const GroupMetadataValue& value) {
  append_record(out, GroupMetadataKey{.group = group_id}, value, kGroupMetadataVersion);
}

void append_classic_group_tombstone(GroupOutcome& out, std::string_view group_id) {
  append_tombstone(out, GroupMetadataKey{.group = group_id});
}

void append_member(GroupOutcome& out, std::string_view group_id, std::string_view member_id,
                   const ConsumerMember& member) {
  Arena& arena = out.scratch();
  ConsumerGroupMemberMetadataValue value;
  value.instance_id = view(member.instance_id);
  value.rack_id = view(member.rack_id);
  value.client_id = member.client_id;
  value.client_host = member.client_host;
  value.subscribed_topic_names = views(member.subscribed_topics, arena);
  value.subscribed_topic_regex = member.subscribed_regex;
  value.rebalance_timeout_ms = member.rebalance_timeout_ms;
  value.server_assignor = view(member.server_assignor);
  value.classic_member_metadata.reset();
  if (member.classic) {
    auto& classic = value.classic_member_metadata.emplace();
    classic.session_timeout_ms = member.classic->session_timeout_ms;
    classic.supported_protocols =
        arena.array<ConsumerGroupMemberMetadataValue::ClassicMemberMetadata::ClassicProtocol>(
            member.classic->protocols.size());
    for (std::size_t i = 0; i < member.classic->protocols.size(); ++i) {
      const ClassicProtocol& protocol = member.classic->protocols[i];
      classic.supported_protocols[i] = {.name = protocol.name, .metadata = as_bytes(protocol.metadata)};
    }
  }
  append_record(out, ConsumerGroupMemberMetadataKey{.group_id = group_id, .member_id = member_id}, value,
                kConsumerRecordVersion);
}

void append_group_epoch(GroupOutcome& out, std::string_view group_id, std::int32_t epoch,
                        std::int64_t metadata_hash) {
  append_record(out, ConsumerGroupMetadataKey{.group_id = group_id},
                ConsumerGroupMetadataValue{.epoch = epoch, .metadata_hash = metadata_hash},
                kConsumerRecordVersion);
}

void append_target(GroupOutcome& out, std::string_view group_id, std::string_view member_id,
                   const Assignment& target) {
  Arena& arena = out.scratch();
  ConsumerGroupTargetAssignmentMemberValue value;
  value.topic_partitions =
      arena.array<ConsumerGroupTargetAssignmentMemberValue::TopicPartition>(target.size());
  std::size_t t = 0;
  for (const auto& [id, partitions] : target) {
    auto& topic = value.topic_partitions[t++];
    topic.topic_id = id;
    topic.partitions = arena.array<PartitionId>(partitions.size());
    std::ranges::copy(partitions, topic.partitions.begin());
  }
  append_record(out, ConsumerGroupTargetAssignmentMemberKey{.group_id = group_id, .member_id = member_id},
                value, kConsumerRecordVersion);
}

void append_target_epoch(GroupOutcome& out, std::string_view group_id, std::int32_t epoch,
                         std::int64_t timestamp_ms) {
  append_record(out, ConsumerGroupTargetAssignmentMetadataKey{.group_id = group_id},
                ConsumerGroupTargetAssignmentMetadataValue{.assignment_epoch = epoch,
                                                           .assignment_timestamp = timestamp_ms},
                kConsumerRecordVersion);
}

void append_current_assignment(GroupOutcome& out, std::string_view group_id, std::string_view member_id,
                               const ConsumerMember& member) {
  ConsumerGroupCurrentMemberAssignmentValue value;
  value.member_epoch = member.epoch;
  value.previous_member_epoch = member.previous_epoch;
  value.state = static_cast<std::int8_t>(member.state);
  value.assigned_partitions = owned_partitions(member.assigned, out.scratch());
  value.partitions_pending_revocation = owned_partitions(member.pending_revocation, out.scratch());
  append_record(out, ConsumerGroupCurrentMemberAssignmentKey{.group_id = group_id, .member_id = member_id},
                value, kConsumerRecordVersion);
}

void append_regex(GroupOutcome& out, std::string_view group_id, std::string_view regex,
                  const ResolvedRegex& resolved) {
  ConsumerGroupRegularExpressionValue value;
  value.topics = views(resolved.topics, out.scratch());
  value.version = resolved.metadata_version;
  value.timestamp = resolved.timestamp_ms;
  append_record(out, ConsumerGroupRegularExpressionKey{.group_id = group_id, .regular_expression = regex},
                value, kConsumerRecordVersion);
}

void append_regex_tombstone(GroupOutcome& out, std::string_view group_id, std::string_view regex) {
  append_tombstone(out, ConsumerGroupRegularExpressionKey{.group_id = group_id, .regular_expression = regex});
}

void append_partition_metadata_tombstone(GroupOutcome& out, std::string_view group_id) {
  append_tombstone(out, ConsumerGroupPartitionMetadataKey{.group_id = group_id});
}

void append_member_tombstones(GroupOutcome& out, std::string_view group_id, std::string_view member_id) {
  append_tombstone(out,
                   ConsumerGroupCurrentMemberAssignmentKey{.group_id = group_id, .member_id = member_id});
  append_tombstone(out, ConsumerGroupTargetAssignmentMemberKey{.group_id = group_id, .member_id = member_id});
  append_tombstone(out, ConsumerGroupMemberMetadataKey{.group_id = group_id, .member_id = member_id});
}

void append_consumer_group_tombstones(GroupOutcome& out, std::string_view group_id,
                                      const ConsumerGroup& group) {
  for (const ConsumerGroupMember& member : group.members()) {
    append_tombstone(out,
                     ConsumerGroupCurrentMemberAssignmentKey{.group_id = group_id, .member_id = member.id});
  }
  for (const ConsumerGroupMember& member : group.members()) {
    append_tombstone(out,
                     ConsumerGroupTargetAssignmentMemberKey{.group_id = group_id, .member_id = member.id});
  }
  append_tombstone(out, ConsumerGroupTargetAssignmentMetadataKey{.group_id = group_id});
  for (const ConsumerGroupMember& member : group.members()) {
    append_tombstone(out, ConsumerGroupMemberMetadataKey{.group_id = group_id, .member_id = member.id});
  }
  for (const auto& [regex, resolved] : group.regexes()) append_regex_tombstone(out, group_id, regex);
  append_partition_metadata_tombstone(out, group_id);
  append_tombstone(out, ConsumerGroupMetadataKey{.group_id = group_id});
}

}  // namespace milena::coordinator
