// PartitionRegistry: the partitions of this node, by topic name and by topic id.
//
// Owned by the broker, read by every event loop, changed by the metadata publisher; thread-safe. A topic's
// list of partitions is immutable once published: adding partitions swaps the list.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "broker/partition/partition_finder.h"

namespace milena::broker {

// Index is the partition id; null where this node has no replica.
using TopicPartitions = std::vector<std::shared_ptr<Partition>>;

class PartitionRegistry final : public PartitionFinder {
 public:
  std::shared_ptr<Partition> find(std::string_view topic, PartitionId partition) override;
  std::shared_ptr<Partition> find(const Uuid& topic_id, PartitionId partition) override;
  std::shared_ptr<const TopicIdentity> topic(const Uuid& topic_id) override;

  // Adds a topic or replaces its list of partitions.
  void publish(const std::shared_ptr<const TopicIdentity>& topic, TopicPartitions partitions);
  // Takes a topic out; the caller closes its partitions.
  TopicPartitions remove(const Uuid& topic_id);
  // Null when unknown.
  std::shared_ptr<const TopicPartitions> partitions_of(const Uuid& topic_id);
  // All partitions, in no particular order.
  std::vector<std::shared_ptr<Partition>> all();

 private:
  struct Topic {
    std::shared_ptr<const TopicIdentity> identity;
    std::shared_ptr<const TopicPartitions> partitions;
  };
  std::shared_ptr<Partition> pick(const Topic* topic, PartitionId partition) MILENA_REQUIRES(mutex_);

  Mutex mutex_;
  std::unordered_map<Uuid, std::unique_ptr<Topic>> by_id_ MILENA_GUARDED_BY(mutex_);
  std::unordered_map<std::string_view, Topic*> by_name_
      MILENA_GUARDED_BY(mutex_);  // keys live in the identities
};

}  // namespace milena::broker
