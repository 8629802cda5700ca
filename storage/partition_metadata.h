// partition.metadata: the topic that a partition directory belongs to, by id
// (docs/formats/partition_metadata.md).
#pragma once

#include <string>
#include <string_view>

#include "base/uuid.h"

namespace milena::storage {

inline constexpr std::string_view kPartitionMetadataName = "partition.metadata";

// What a start can know of a partition.metadata file.
struct PartitionMetadata {
  enum class State {
    kMissing,
    kDamaged,       // empty, cut off or not in this format
    kNewerVersion,  // written by a later version; never reinterpreted
    kValid,
  };
  State state = State::kMissing;
  Uuid topic_id{};  // of a valid file; zero otherwise
  bool operator==(const PartitionMetadata&) const = default;

  bool is_valid() const { return state == State::kValid; }
};

std::string encode_partition_metadata(const Uuid& topic_id);
PartitionMetadata decode_partition_metadata(std::string_view text);

}  // namespace milena::storage
