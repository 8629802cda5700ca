// RecordBatchBuilder: writes one batch, for the logs that the broker itself writes and for tests.
//
// Not thread-safe. What it is given is ours, so it cannot fail; limits that it asserts: offsets ascend, a
// batch spans fewer than 2^31 offsets and bytes. reset() keeps memory and codec contexts for the next batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "protocol/compression.h"
#include "protocol/record_batch.h"
#include "protocol/record_batch_records.h"
#include "protocol/types.h"

namespace milena::protocol {

struct BatchSettings {
  Offset base_offset = 0;
  LeaderEpoch partition_leader_epoch = kNoLeaderEpoch;
  CompressionType compression = CompressionType::kNone;
  std::optional<int> compression_level = {};            // empty: the codec's standard level
  std::optional<std::int64_t> log_append_time_ms = {};  // set: the batch carries the broker's time
  std::optional<std::int64_t> delete_horizon_ms = {};   // set by compaction only (KIP-534)
  ProducerId producer_id = kNoProducerId;
  std::int16_t producer_epoch = kNoProducerEpoch;
  std::int32_t base_sequence = kNoSequence;
  bool transactional = false;
  bool control = false;
};

class RecordBatchBuilder {
 public:
  explicit RecordBatchBuilder(const BatchSettings& settings = {}) : settings_(settings) {}

  // Forgets the batch and starts another.
  void reset(const BatchSettings& settings);

  // Appends at the next offset. The views are copied. timestamp_ms may be kNoTimestamp.
  void append(std::int64_t timestamp_ms, std::optional<BytesView> key, std::optional<BytesView> value,
              std::span<const RecordHeader> headers = {});
  // Appends at a given offset, not below the next; compaction leaves such gaps.
  void append_at(Offset offset, std::int64_t timestamp_ms, std::optional<BytesView> key,
                 std::optional<BytesView> value, std::span<const RecordHeader> headers = {});

  // Compaction keeps the offsets a batch covers although records are gone, so that the producer's last
  // sequence stays known. max_timestamp_ms counts only if no record is left.
  void cover(Offset last_offset, std::int64_t max_timestamp_ms);

  std::int32_t record_count() const { return count_; }
  Offset next_offset() const { return settings_.base_offset + next_delta_; }
  // Of the batch if it were built now without compression.
  std::size_t uncompressed_size() const { return kBatchHeaderBytes + records_.size(); }
  // An upper bound for what one more record would add to that.
  static std::size_t record_size_bound(std::optional<BytesView> key, std::optional<BytesView> value,
                                       std::span<const RecordHeader> headers = {});

  // The batch. It has records, or cover() was called. Only reset() may follow.
  std::vector<std::byte> build();

 private:
  std::uint16_t attribute_bits() const;

  BatchSettings settings_;
  Compressor compressor_;
  std::vector<std::byte> records_;
  std::int32_t count_ = 0;
  std::int64_t next_delta_ = 0;
  std::int64_t base_timestamp_ = kNoTimestamp;
  std::int64_t max_timestamp_ = kNoTimestamp;
  std::optional<std::int64_t> last_delta_;  // set by cover()
};

}  // namespace milena::protocol
