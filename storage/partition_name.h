// Names of partition directories: "topic-0", and with a suffix once the partition is on its way out or
// elsewhere: "topic-0.<32 hex digits>-delete", "-stray" or "-future".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "protocol/types.h"

namespace milena::storage {

struct TopicPartition {
  std::string topic;
  protocol::PartitionId partition;
  auto operator<=>(const TopicPartition&) const = default;
};

// The partition of the cluster's metadata log.
inline constexpr std::string_view kClusterMetadataTopic = "__cluster_metadata";
inline TopicPartition cluster_metadata_partition() { return {std::string(kClusterMetadataTopic), 0}; }

struct PartitionName {
  enum class State { kLive, kDeleted, kStray, kFuture };

  TopicPartition partition;
  State state = State::kLive;
  std::string name;  // of the directory
  bool operator==(const PartitionName&) const = default;
};

std::string directory_name(const TopicPartition& partition);
// "topic-0.<32 hex digits>-delete"; a long topic name is cut so that 255 bytes are enough, as Kafka does.
std::string deleted_directory_name(const TopicPartition& partition, Rng& rng);
// The same with "-stray".
std::string stray_directory_name(const TopicPartition& partition, Rng& rng);

// None for names that are not a partition's.
std::optional<PartitionName> parse_partition_name(std::string_view name);

}  // namespace milena::storage
