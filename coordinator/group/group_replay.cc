#include "coordinator/group/group_replay.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "coordinator/runtime/record_codec.h"
#include "protocol/consumer_group_current_member_assignment_record.gen.h"
#include "protocol/consumer_group_member_metadata_record.gen.h"
#include "protocol/consumer_group_metadata_record.gen.h"
#include "protocol/consumer_group_partition_metadata_record.gen.h"
#include "protocol/consumer_group_regular_expression_record.gen.h"
#include "protocol/consumer_group_target_assignment_member_record.gen.h"
#include "protocol/consumer_group_target_assignment_metadata_record.gen.h"
#include "protocol/group_metadata_record.gen.h"
#include "protocol/legacy_offset_commit_record.gen.h"
#include "protocol/offset_commit_record.gen.h"

namespace milena::coordinator {

using namespace protocol;  // NOLINT(google-build-using-namespace): every record below is one of its messages

namespace {

std::optional<std::string> owned_text(const std::optional<std::string_view>& text) {
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

OwnedPartitions owned_partitions(
    std::span<const ConsumerGroupCurrentMemberAssignmentValue::TopicPartitions> topics,
    std::int32_t member_epoch) {
  OwnedPartitions owned;
  for (const auto& topic : topics) {
    if (topic.partitions.empty()) continue;
    // Kafka before 4.2 did not write them. A static member that is away has no epoch to fall back on.
    const auto epochs = topic.assignment_epochs.value_or(std::span<std::int32_t>{});
    const bool has_epochs = epochs.size() == topic.partitions.size();
    auto& partitions = owned[topic.topic_id];
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      partitions.push_back({topic.partitions[i].value, has_epochs ? epochs[i] : std::max(member_epoch, 0)});
    }
    std::ranges::sort(partitions, {},
                      [](const OwnedPartition& each) { return std::pair(each.partition, each.epoch); });
    partitions.erase(std::ranges::unique(partitions, {}, &OwnedPartition::partition).begin(),
                     partitions.end());
  }
  return owned;
}

MemberState member_state(std::int8_t value) {
  switch (value) {
    case 0:
      return MemberState::kStable;
    case 1:
      return MemberState::kUnrevoked;
    case 2:
      return MemberState::kUnreleased;
    default:
      return MemberState::kUnknown;
  }
}

}  // namespace

// One overload per kind of record; no value is a tombstone.
struct GroupReplay::Applier {
  GroupReplay& self;
  const LogRecord& record;

  GroupTable& groups() const { return self.store_.groups; }

  // The group's consumer body; made if need be. Whatever else the group was, the record says it is this now.
  Group& consumer_group(std::string_view group_id) const {
    Group& group = groups().find_or_add(group_id);
    group.classic.reset();
    if (!group.consumer) group.consumer = std::make_unique<ConsumerGroup>(group, self.store_.timers);
    return group;
  }
  // For tombstones: null if there is nothing to delete from.
  ConsumerGroup* existing(std::string_view group_id) const {
    Group* group = groups().find(group_id);
    return group == nullptr ? nullptr : group->consumer.get();
  }

  void operator()(const OffsetCommitKey& key, const OffsetCommitValue* value) const {
    apply_offset(key.group, key.topic, key.partition, value);
  }
  void operator()(const LegacyOffsetCommitKey& key, const LegacyOffsetCommitValue* value) const {
    if (value == nullptr) return apply_offset(key.group, key.topic, key.partition, nullptr);
    OffsetCommitValue modern;
    modern.offset = value->offset;
    modern.metadata = value->metadata;
    modern.commit_timestamp = value->commit_timestamp;
    apply_offset(key.group, key.topic, key.partition, &modern);
  }
  void apply_offset(std::string_view group_id, std::string_view topic, PartitionId partition,
                    const OffsetCommitValue* value) const {
    if constexpr (is_mutant("forget_commit_at_load")) {
      if (!self.store_.live && record.offset.value % 5 == 0) return;
    }
    if (value == nullptr) {
      Group* group = groups().find(group_id);
      if (group == nullptr) return;
      group->offsets.remove(topic, partition.value);
      groups().drop_if_bare(*group);
      return;
    }
    CommittedOffset offset;
    offset.offset = value->offset.value;
    offset.leader_epoch = value->leader_epoch.value;
    offset.metadata = value->metadata;
    offset.commit_timestamp_ms = value->commit_timestamp;
    offset.expire_timestamp_ms = value->expire_timestamp;
    offset.topic_id = value->topic_id;
    offset.record_offset = record.offset.value;
    Group& group = groups().find_or_add(group_id);
    if (record.producer == kNoProducerId) {
      group.offsets.commit(topic, partition.value, std::move(offset));
    } else {
      group.offsets.hold(record.producer, topic, partition.value, std::move(offset));
      self.groups_of_producer_[record.producer].insert(group.id);
    }
  }

  void operator()(const GroupMetadataKey& key, const GroupMetadataValue* value) const {
    if constexpr (is_mutant("forget_generation_at_load")) {
      if (!self.store_.live) return;
    }
    if (value != nullptr) {
      Group& group = groups().find_or_add(key.group);
      group.consumer.reset();
      self.classic_.replay(group, *value);
    } else if (Group* group = groups().find(key.group)) {
      group->classic.reset();
      groups().drop_if_bare(*group);
    }
  }

  void operator()(const ConsumerGroupMetadataKey& key, const ConsumerGroupMetadataValue* value) const {
    if (value != nullptr) {
      ConsumerGroup& group = *consumer_group(key.group_id).consumer;
      if (self.store_.live && group.epoch != value->epoch) ++self.store_.rebalances.consumer;
      group.epoch = value->epoch;
      group.metadata_hash = value->metadata_hash;
      // Written a moment ago, of the metadata that is here; or some time ago, of what there was then.
      group.metadata_checked = self.store_.live;
    } else if (Group* group = groups().find(key.group_id)) {
      group->consumer.reset();
      groups().drop_if_bare(*group);
    }
  }

  void operator()(const ConsumerGroupPartitionMetadataKey& key,
                  const ConsumerGroupPartitionMetadataValue* value) const {
    if (value != nullptr) {
      consumer_group(key.group_id).consumer->has_partition_metadata_record = true;
    } else if (ConsumerGroup* group = existing(key.group_id)) {
      group->has_partition_metadata_record = false;
    }
  }

  void operator()(const ConsumerGroupMemberMetadataKey& key,
                  const ConsumerGroupMemberMetadataValue* value) const {
    if (value == nullptr) {
      if (ConsumerGroup* group = existing(key.group_id)) group->remove(key.member_id);
      return;
    }
    Group& group = consumer_group(key.group_id);
    const bool is_new = group.consumer->find(key.member_id) == nullptr;
    auto& updated = group.consumer->update(key.member_id, [&](ConsumerMember& member) {
      member.instance_id = owned_text(value->instance_id);
      member.rack_id = owned_text(value->rack_id);
      member.client_id = value->client_id;
      member.client_host = value->client_host;
      member.subscribed_topics =
          TopicNames(value->subscribed_topic_names.begin(), value->subscribed_topic_names.end());
      member.subscribed_regex = value->subscribed_topic_regex.value_or("");
      member.rebalance_timeout_ms = value->rebalance_timeout_ms;
      member.server_assignor = owned_text(value->server_assignor);
      member.classic.reset();
      const auto& classic = value->classic_member_metadata;
      // Without protocols nobody can have joined by the classic protocol.
      if (!classic || classic->supported_protocols.empty()) return;
      member.classic.emplace().session_timeout_ms = classic->session_timeout_ms;
      for (const auto& protocol : classic->supported_protocols) {
        member.classic->protocols.push_back(
            {std::string(protocol.name), std::string(as_text(protocol.metadata))});
      }
    });
    if (is_new) self.consumer_.watch(group, updated, true);
  }

  void operator()(const ConsumerGroupTargetAssignmentMetadataKey& key,
                  const ConsumerGroupTargetAssignmentMetadataValue* value) const {
    if (value != nullptr) {
      ConsumerGroup& group = *consumer_group(key.group_id).consumer;
      group.assignment_epoch = value->assignment_epoch;
      group.assignment_timestamp_ms = value->assignment_timestamp;
    } else if (ConsumerGroup* group = existing(key.group_id)) {
      group->assignment_epoch = -1;
      group->assignment_timestamp_ms = 0;
    }
  }

  void operator()(const ConsumerGroupTargetAssignmentMemberKey& key,
                  const ConsumerGroupTargetAssignmentMemberValue* value) const {
    if (value == nullptr) {
      if (ConsumerGroup* group = existing(key.group_id)) group->remove_target(key.member_id);
      return;
    }
    Assignment target;
    for (const auto& topic : value->topic_partitions) {
      if (topic.partitions.empty()) continue;
      auto& partitions = target[topic.topic_id];
      for (const PartitionId partition : topic.partitions) partitions.push_back(partition.value);
      sort_unique(partitions);
    }
    consumer_group(key.group_id).consumer->set_target(key.member_id, std::move(target));
  }

  void operator()(const ConsumerGroupCurrentMemberAssignmentKey& key,
                  const ConsumerGroupCurrentMemberAssignmentValue* value) const {
    if (value == nullptr) {
      ConsumerGroup* group = existing(key.group_id);
      if (group == nullptr || group->find(key.member_id) == nullptr) return;
      group->update(key.member_id, [](ConsumerMember& member) {
        member.epoch = member.previous_epoch = kLeaveEpoch;
        member.state = MemberState::kStable;
        member.assigned.clear();
        member.pending_revocation.clear();
      });
      return;
    }
    Group& group = consumer_group(key.group_id);
    const bool is_new = group.consumer->find(key.member_id) == nullptr;
    auto& updated = group.consumer->update(key.member_id, [&](ConsumerMember& member) {
      member.epoch = value->member_epoch;
      member.previous_epoch = value->previous_member_epoch;
      member.state = member_state(value->state);
      member.assigned = owned_partitions(value->assigned_partitions, value->member_epoch);
      member.pending_revocation = owned_partitions(value->partitions_pending_revocation, value->member_epoch);
    });
    self.consumer_.watch(group, updated, is_new);
  }

  void operator()(const ConsumerGroupRegularExpressionKey& key,
                  const ConsumerGroupRegularExpressionValue* value) const {
    if (value == nullptr) {
      if (ConsumerGroup* group = existing(key.group_id)) group->remove_regex(key.regular_expression);
      return;
    }
    consumer_group(key.group_id)
        .consumer->set_regex(key.regular_expression, {TopicNames(value->topics.begin(), value->topics.end()),
                                                      value->version, value->timestamp});
  }
};

template <class Key, class Value>
void GroupReplay::replay_as(const LogRecord& record) {
  const Applier apply{*this, record};
  if (const auto key = decode_record_key<Key>(record.key, arena_)) {
    if (!record.value) return apply(*key, static_cast<const Value*>(nullptr));
    if (const auto value = decode_record_value<Value>(*record.value, arena_)) return apply(*key, &*value);
  }
  ++skipped_records_;
}

void GroupReplay::replay(const LogRecord& record) {
  arena_.reset();
  switch (record_type(record.key).value_or(-1)) {
    case LegacyOffsetCommitKey::kInfo.key:
      return replay_as<LegacyOffsetCommitKey, LegacyOffsetCommitValue>(record);
    case OffsetCommitKey::kInfo.key:
      return replay_as<OffsetCommitKey, OffsetCommitValue>(record);
    case GroupMetadataKey::kInfo.key:
      return replay_as<GroupMetadataKey, GroupMetadataValue>(record);
    case ConsumerGroupMetadataKey::kInfo.key:
      return replay_as<ConsumerGroupMetadataKey, ConsumerGroupMetadataValue>(record);
    case ConsumerGroupPartitionMetadataKey::kInfo.key:
      return replay_as<ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue>(record);
    case ConsumerGroupMemberMetadataKey::kInfo.key:
      return replay_as<ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue>(record);
    case ConsumerGroupTargetAssignmentMetadataKey::kInfo.key:
      return replay_as<ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue>(
          record);
    case ConsumerGroupTargetAssignmentMemberKey::kInfo.key:
      return replay_as<ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue>(
          record);
    case ConsumerGroupCurrentMemberAssignmentKey::kInfo.key:
      return replay_as<ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue>(
          record);
    case ConsumerGroupRegularExpressionKey::kInfo.key:
      return replay_as<ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue>(record);
    default:
      ++skipped_records_;
  }
}

void GroupReplay::end_transaction(protocol::ProducerId producer, bool committed) {
  const auto groups = groups_of_producer_.extract(producer);
  if (!groups) return;
  for (const std::string& group_id : groups.mapped()) {
    Group* group = store_.groups.find(group_id);
    if (group == nullptr) continue;
    group->offsets.end_transaction(producer, committed);
    store_.groups.drop_if_bare(*group);
  }
}

}  // namespace milena::coordinator
