// PartitionFinder: from what a request names to this node's replica of it.
#pragma once

#include <memory>
#include <string_view>

#include "base/uuid.h"
#include "broker/partition/partition.h"

namespace milena::broker {

class PartitionFinder {
 public:
  virtual ~PartitionFinder() = default;
  // Null: no such topic or partition here. Thread-safe.
  virtual std::shared_ptr<Partition> find(std::string_view topic, PartitionId partition) = 0;
  virtual std::shared_ptr<Partition> find(const Uuid& topic_id, PartitionId partition) = 0;
  // Null: no topic has this id. Thread-safe.
  virtual std::shared_ptr<const TopicIdentity> topic(const Uuid& topic_id) = 0;
};

}  // namespace milena::broker
