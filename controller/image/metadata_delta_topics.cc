// Replay of the records about topics and partitions.
#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "controller/image/metadata_delta.h"
#include "protocol/error_code.h"

namespace milena::controller {
namespace {

constexpr BrokerId kLeaderUnchanged = -2;
constexpr std::int8_t kRecoveryUnchanged = -1;

std::span<const BrokerId> or_nothing(const std::optional<std::span<BrokerId>>& list) {
  return list ? std::span<const BrokerId>(*list) : std::span<const BrokerId>();
}

void replace(std::span<const BrokerId>& list, const std::optional<std::span<BrokerId>>& change) {
  if (change) list = *change;
}

Result<LeaderRecoveryState> recovery_state(std::int8_t value) {
  if (value != 0 && value != 1) return fail(ErrorCode::kCorruptMessage, "a leader recovery state is unknown");
  return static_cast<LeaderRecoveryState>(value);
}

Status count_change(PartitionFields& fields) {
  constexpr auto kLast = std::numeric_limits<std::int32_t>::max();
  if (fields.partition_epoch == kLast || fields.leader_epoch == kLast) {
    return fail(ErrorCode::kCorruptMessage, "a partition's epochs are used up");
  }
  ++fields.partition_epoch;
  return {};
}

// Records from before KIP-858 name no directories; such replicas lie wherever their broker put them. Fills
// `backing` and points the fields at it.
void default_directories(PartitionFields& fields, std::vector<Uuid>& backing) {
  const bool all_migrating =
      std::ranges::all_of(fields.directories, [](const Uuid& dir) { return dir == kMigratingDirectory; });
  if (!all_migrating) return;
  backing.assign(fields.replicas.size(), kMigratingDirectory);
  fields.directories = backing;
}

}  // namespace

Status MetadataDelta::apply(const protocol::TopicRecord& record) {
  if (image_.topic_ids.contains(record.name))
    return fail(ErrorCode::kCorruptMessage, "a topic's name is taken");
  if (image_.topics.contains(record.topic_id))
    return fail(ErrorCode::kCorruptMessage, "a topic's id is taken");
  Topic topic{.name = std::string(record.name), .id = record.topic_id, .partitions = {}};
  changes_.topics[record.topic_id];
  image_.topic_ids.set(topic.name, topic.id);
  image_.topics.set(topic.id, Shared(topic));
  open_topics_.emplace(record.topic_id, std::move(topic));
  return {};
}

Status MetadataDelta::apply(const protocol::RemoveTopicRecord& record) {
  const Topic* topic = image_.topic(record.topic_id);
  if (topic == nullptr) return fail(ErrorCode::kCorruptMessage, "removes an unknown topic");
  const ConfigResource config{ConfigResourceType::kTopic, topic->name};
  if (image_.configs.erase(config)) changes_.configs.insert(config);
  image_.topic_ids.erase(topic->name);
  image_.topics.erase(record.topic_id);
  open_topics_.erase(record.topic_id);
  changes_.topics[record.topic_id].clear();
  return {};
}

Status MetadataDelta::apply(const protocol::PartitionRecord& record) {
  Topic* topic = open_topic(record.topic_id);
  if (topic == nullptr) return fail(ErrorCode::kCorruptMessage, "a partition has no topic");
  if (record.partition_id < 0) return fail(ErrorCode::kCorruptMessage, "a partition has a negative id");
  MILENA_TRY(const LeaderRecoveryState state, recovery_state(record.leader_recovery_state));
  PartitionFields fields{.replicas = record.replicas,
                         .isr = record.isr,
                         .removing_replicas = record.removing_replicas,
                         .adding_replicas = record.adding_replicas,
                         .elr = or_nothing(record.eligible_leader_replicas),
                         .last_known_elr = or_nothing(record.last_known_elr),
                         .directories = record.directories,
                         .leader = record.leader,
                         .leader_recovery_state = state,
                         .leader_epoch = record.leader_epoch,
                         .partition_epoch = record.partition_epoch};
  std::vector<Uuid> migrating;
  default_directories(fields, migrating);
  MILENA_TRY(Partition partition, Partition::make(fields));
  put_partition(*topic, record.partition_id, std::move(partition));
  return {};
}

// The partition epoch counts every change. The leader epoch counts the changes that name a leader, even the
// same one: that is how the controller forces a new epoch.
Status MetadataDelta::apply(const protocol::PartitionChangeRecord& record) {
  Topic* topic = open_topic(record.topic_id);
  if (topic == nullptr) return fail(ErrorCode::kCorruptMessage, "a partition change has no topic");
  const Partition* current = topic->partition(record.partition_id);
  if (current == nullptr) return fail(ErrorCode::kCorruptMessage, "a partition change has no partition");
  PartitionFields fields = current->fields();
  MILENA_CHECK(count_change(fields));
  replace(fields.replicas, record.replicas);
  replace(fields.isr, record.isr);
  replace(fields.removing_replicas, record.removing_replicas);
  replace(fields.adding_replicas, record.adding_replicas);
  replace(fields.elr, record.eligible_leader_replicas);
  replace(fields.last_known_elr, record.last_known_elr);
  if (record.directories) fields.directories = *record.directories;
  if (record.leader_recovery_state != kRecoveryUnchanged) {
    MILENA_TRY(fields.leader_recovery_state, recovery_state(record.leader_recovery_state));
  }
  if (record.leader != kLeaderUnchanged) {
    fields.leader = record.leader;
    ++fields.leader_epoch;
  }
  std::vector<Uuid> migrating;
  default_directories(fields, migrating);
  MILENA_TRY(Partition partition, Partition::make(fields));
  put_partition(*topic, record.partition_id, std::move(partition));
  return {};
}

Status MetadataDelta::apply(const protocol::ClearElrRecord& record) {
  if (!record.topic_name.empty()) {
    const Uuid* id = image_.topic_ids.find(record.topic_name);
    if (id == nullptr) return fail(ErrorCode::kCorruptMessage, "clears the ELR of an unknown topic");
    return clear_elr(*id);
  }
  for (const auto& [name, id] : image_.topic_ids) MILENA_CHECK(clear_elr(id));
  return {};
}

Status MetadataDelta::clear_elr(const Uuid& id) {
  const auto open = open_topics_.find(id);
  const auto before = open != open_topics_.end() ? open->second.partitions : image_.topic(id)->partitions;
  for (const auto& [index, partition] : before) {
    if (partition->elr().empty() && partition->last_known_elr().empty()) continue;
    PartitionFields fields = partition->fields();
    fields.elr = {};
    fields.last_known_elr = {};
    MILENA_CHECK(count_change(fields));
    MILENA_TRY(Partition cleared, Partition::make(fields));
    put_partition(*open_topic(id), index, std::move(cleared));
  }
  return {};
}

Topic* MetadataDelta::open_topic(const Uuid& id) {
  if (const auto at = open_topics_.find(id); at != open_topics_.end()) return &at->second;
  const Topic* topic = image_.topic(id);
  return topic != nullptr ? &open_topics_.emplace(id, *topic).first->second : nullptr;
}

void MetadataDelta::put_partition(Topic& topic, PartitionId index, Partition partition) {
  changes_.topics[topic.id].insert(index);
  topic.partitions.set(index, Shared(std::move(partition)));
}

}  // namespace milena::controller
