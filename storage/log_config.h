// LogConfig: the topic settings that the log itself obeys, under Kafka's names ("segment.bytes" is
// segment_bytes), and one of our own. max.message.bytes and the timestamp rules are the validator's business,
// not the log's.
//
// Immutable once shared: partitions of one topic hold the same object, a config change swaps the pointer.
#pragma once

#include <cstdint>

namespace milena::storage {

struct LogConfig {
  std::int32_t segment_bytes = 1 << 30;                       // at least 1 MiB outside tests
  std::int64_t segment_ms = 7LL * 24 * 3600 * 1000;           // age at which a segment with data is rolled
  std::int64_t segment_jitter_ms = 0;                         // each segment rolls up to this much earlier
  std::int32_t segment_index_bytes = 10 << 20;                // either index full: the segment is rolled
  std::int32_t index_interval_bytes = 4096;                   // log bytes between two index entries
  std::int64_t retention_bytes = -1;                          // -1: no limit
  std::int64_t retention_ms = 7LL * 24 * 3600 * 1000;         // -1: no limit
  std::int64_t flush_messages = 9'223'372'036'854'775'807LL;  // owner flushes after this many records
  std::int64_t flush_ms = 9'223'372'036'854'775'807LL;        // owner flushes after this many milliseconds
  std::int32_t append_room_bytes = 65'536;  // zeros behind a segment that grows fast; no more than this
  bool cleanup_delete = true;               // cleanup.policy has "delete"
  bool cleanup_compact = false;             // cleanup.policy has "compact"
};

}  // namespace milena::storage
