// File names inside a partition directory: a 20-digit offset and a suffix, as Kafka writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/types.h"
#include "storage/partition_metadata.h"

namespace milena::storage {

inline constexpr std::string_view kLogSuffix = ".log";
inline constexpr std::string_view kOffsetIndexSuffix = ".index";
inline constexpr std::string_view kTimeIndexSuffix = ".timeindex";
inline constexpr std::string_view kTxnIndexSuffix = ".txnindex";
inline constexpr std::string_view kSnapshotSuffix = ".snapshot";
inline constexpr std::string_view kDeletedSuffix = ".deleted";  // renamed away, to be unlinked
inline constexpr std::string_view kCleanedSuffix = ".cleaned";  // being written by a compaction
inline constexpr std::string_view kSwapSuffix = ".swap";        // compacted, about to replace its originals
inline constexpr std::string_view kKeptSuffix = ".kept";        // a segment that recovery could not join
inline constexpr std::string_view kEpochCheckpointName = "leader-epoch-checkpoint";
inline constexpr std::string_view kIndexChecksumsName = "milena-index-checksums";

// "00000000000000000042.log"
std::string segment_file_name(protocol::Offset base_offset, std::string_view suffix);

// A name taken apart: 20 digits and everything from the first dot on. Any other name is none of ours.
struct SegmentFileName {
  protocol::Offset base_offset;
  std::string_view suffix;
};
std::optional<SegmentFileName> parse_segment_file_name(std::string_view name);

// Whether a partition's directory has a file of this name, finished (".tmp" aside) or not.
bool is_partition_file_name(std::string_view name);

}  // namespace milena::storage
