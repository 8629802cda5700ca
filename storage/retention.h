// Retention: which segments at the front of a log may go. Pure; Log::delete_old_segments carries it out.
//
// Kafka's rules, in Kafka's order: what lies below the log start, then what exceeds retention.bytes, then
// what is older than retention.ms. A segment goes only if everything in it is below the high watermark, and
// never the empty last one.
#pragma once

#include <cstdint>
#include <span>

#include "storage/log_config.h"
#include "storage/log_types.h"

namespace milena::storage {

struct RetentionSegment {
  Offset base_offset;
  Offset end_offset;  // where the next segment begins, or the log ends
  std::uint64_t size = 0;
};

// How many segments at the front go because of log_start_offset and, with cleanup.policy delete, of size.
std::size_t segments_over_start_and_size(std::span<const RetentionSegment> segments, Offset log_start_offset,
                                         Offset high_watermark, const LogConfig& config);

// Whether retention.ms deletes this segment, the last of the log or not, given its largest timestamp. Asked
// from the front until one may stay.
bool is_over_age(const RetentionSegment& segment, bool last, std::int64_t timestamp, Offset high_watermark,
                 const LogConfig& config, std::int64_t now_ms);

}  // namespace milena::storage
