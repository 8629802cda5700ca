#include "broker/partition/partition_registry.h"

#include <utility>

namespace milena::broker {

std::shared_ptr<Partition> PartitionRegistry::pick(const Topic* topic, PartitionId partition) {
  const auto index = static_cast<std::size_t>(partition.value);  // a negative id becomes too large
  if (topic == nullptr || index >= topic->partitions->size()) return nullptr;
  return (*topic->partitions)[index];
}

std::shared_ptr<Partition> PartitionRegistry::find(std::string_view topic, PartitionId partition) {
  const MutexLock lock(mutex_);
  const auto found = by_name_.find(topic);
  return pick(found == by_name_.end() ? nullptr : found->second, partition);
}

std::shared_ptr<Partition> PartitionRegistry::find(const Uuid& topic_id, PartitionId partition) {
  const MutexLock lock(mutex_);
  const auto found = by_id_.find(topic_id);
  return pick(found == by_id_.end() ? nullptr : found->second.get(), partition);
}

std::shared_ptr<const TopicIdentity> PartitionRegistry::topic(const Uuid& topic_id) {
  const MutexLock lock(mutex_);
  const auto found = by_id_.find(topic_id);
  return found == by_id_.end() ? nullptr : found->second->identity;
}

void PartitionRegistry::publish(const std::shared_ptr<const TopicIdentity>& topic,
                                TopicPartitions partitions) {
  auto list = std::make_shared<const TopicPartitions>(std::move(partitions));
  const MutexLock lock(mutex_);
  auto& entry = by_id_[topic->id];
  if (entry == nullptr) {
    entry = std::make_unique<Topic>();
    entry->identity = topic;
    by_name_.erase(topic->name);  // of an incarnation that is not removed yet: its key would die with it
    by_name_.emplace(entry->identity->name, entry.get());
  }
  entry->partitions = std::move(list);
}

TopicPartitions PartitionRegistry::remove(const Uuid& topic_id) {
  const MutexLock lock(mutex_);
  const auto found = by_id_.find(topic_id);
  if (found == by_id_.end()) return {};
  TopicPartitions partitions = *found->second->partitions;
  const auto named = by_name_.find(found->second->identity->name);
  if (named != by_name_.end() && named->second == found->second.get()) by_name_.erase(named);
  by_id_.erase(found);
  return partitions;
}

std::shared_ptr<const TopicPartitions> PartitionRegistry::partitions_of(const Uuid& topic_id) {
  const MutexLock lock(mutex_);
  const auto found = by_id_.find(topic_id);
  return found == by_id_.end() ? nullptr : found->second->partitions;
}

std::vector<std::shared_ptr<Partition>> PartitionRegistry::all() {
  std::vector<std::shared_ptr<Partition>> out;
  const MutexLock lock(mutex_);
  for (const auto& [id, topic] : by_id_) {
    for (const auto& partition : *topic->partitions) {
      if (partition != nullptr) out.push_back(partition);
    }
  }
  return out;
}

}  // namespace milena::broker
