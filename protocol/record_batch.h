// Record batches, format v2 ("magic 2"): header, attributes, checksum, and the fields a broker may patch in
// place.
//
// Views never own: the bytes outlive them. The header's numbers are as the writer left them; only the length
// and the magic byte have been checked when a view exists. docs/formats/record_batch.md is the byte table.
//
//   0 base offset i64 | 8 length i32 | 12 leader epoch i32 | 16 magic i8 | 17 crc u32 | 21 attributes i16
//  23 last offset delta i32 | 27 base timestamp i64 | 35 max timestamp i64 | 43 producer id i64
//  51 producer epoch i16 | 53 base sequence i32 | 57 record count i32 | 61 records, compressed as one block
//
// The checksum covers everything from the attributes on. The leader's three fields before it can be set
// freely.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/compression.h"
#include "protocol/types.h"

namespace milena::protocol {

inline constexpr std::size_t kBatchHeaderBytes = 61;
inline constexpr std::size_t kBatchPrefixBytes =
    12;  // base offset and length; the length counts what follows
inline constexpr std::int8_t kBatchMagic = 2;
inline constexpr std::int64_t kNoTimestamp = -1;
inline constexpr std::int16_t kNoProducerEpoch = -1;
inline constexpr std::int32_t kNoSequence = -1;

// Where the fields lie.
struct BatchLayout {
  static constexpr std::size_t kBaseOffset = 0;
  static constexpr std::size_t kLength = 8;
  static constexpr std::size_t kLeaderEpoch = 12;
  static constexpr std::size_t kMagic = 16;
  static constexpr std::size_t kCrc = 17;
  static constexpr std::size_t kAttributes = 21;
  static constexpr std::size_t kLastOffsetDelta = 23;
  static constexpr std::size_t kBaseTimestamp = 27;
  static constexpr std::size_t kMaxTimestamp = 35;
  static constexpr std::size_t kProducerId = 43;
  static constexpr std::size_t kProducerEpoch = 51;
  static constexpr std::size_t kBaseSequence = 53;
  static constexpr std::size_t kRecordCount = 57;
};

enum class TimestampType : std::uint8_t { kCreateTime = 0, kLogAppendTime = 1 };

// The attributes field. Bits 7-15 are unused; Kafka keeps what it finds there, and so do we.
struct BatchAttributes {
  static constexpr std::uint16_t kCompressionMask = 0x07;
  static constexpr std::uint16_t kLogAppendTime = 0x08;
  static constexpr std::uint16_t kTransactional = 0x10;
  static constexpr std::uint16_t kControl = 0x20;
  static constexpr std::uint16_t kDeleteHorizon = 0x40;

  std::uint16_t bits = 0;

  // Codecs 5-7 do not exist; Decompressor refuses them.
  CompressionType compression() const { return static_cast<CompressionType>(bits & kCompressionMask); }
  TimestampType timestamp_type() const {
    return (bits & kLogAppendTime) != 0 ? TimestampType::kLogAppendTime : TimestampType::kCreateTime;
  }
  bool is_transactional() const { return (bits & kTransactional) != 0; }
  bool is_control() const { return (bits & kControl) != 0; }
  bool has_delete_horizon() const { return (bits & kDeleteHorizon) != 0; }
};

// Producer sequences run from 0 to 2^31 - 1 and then start again at 0. Neither argument is negative.
constexpr std::int32_t increment_sequence(std::int32_t sequence, std::int32_t by) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(sequence) + static_cast<std::uint32_t>(by)) &
                                   0x7fffffffu);
}
constexpr std::int32_t decrement_sequence(std::int32_t sequence, std::int32_t by) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(sequence) - static_cast<std::uint32_t>(by)) &
                                   0x7fffffffu);
}

// The first 61 bytes of a batch; for readers that have not loaded the rest.
class RecordBatchHeader {
 public:
  // kCorruptMessage: fewer than 61 bytes, a length below the header's own, or an unknown magic byte.
  // kUnsupportedForMessageFormat: magic 0 or 1, which Kafka stopped writing in 4.0 (KIP-724).
  static Result<RecordBatchHeader> parse(BytesView bytes);

  Offset base_offset() const { return load<std::int64_t>(BatchLayout::kBaseOffset); }
  std::size_t size_in_bytes() const {
    return kBatchPrefixBytes + static_cast<std::size_t>(load<std::int32_t>(BatchLayout::kLength));
  }
  LeaderEpoch partition_leader_epoch() const { return load<std::int32_t>(BatchLayout::kLeaderEpoch); }
  std::uint32_t crc() const { return load<std::uint32_t>(BatchLayout::kCrc); }
  BatchAttributes attributes() const { return {load<std::uint16_t>(BatchLayout::kAttributes)}; }
  std::int32_t last_offset_delta() const { return load<std::int32_t>(BatchLayout::kLastOffsetDelta); }
  // Wraps for a hostile base offset; a batch in a log has a sane one.
  Offset last_offset() const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(base_offset().value) +
                                     static_cast<std::uint64_t>(std::int64_t{last_offset_delta()}));
  }
  std::int64_t base_timestamp() const { return load<std::int64_t>(BatchLayout::kBaseTimestamp); }
  std::int64_t max_timestamp() const { return load<std::int64_t>(BatchLayout::kMaxTimestamp); }
  ProducerId producer_id() const { return load<std::int64_t>(BatchLayout::kProducerId); }
  bool has_producer_id() const { return producer_id() > kNoProducerId; }
  std::int16_t producer_epoch() const { return load<std::int16_t>(BatchLayout::kProducerEpoch); }
  std::int32_t base_sequence() const { return load<std::int32_t>(BatchLayout::kBaseSequence); }
  // kNoSequence when the batch has none.
  std::int32_t last_sequence() const {
    return base_sequence() < 0 ? kNoSequence : increment_sequence(base_sequence(), last_offset_delta());
  }
  std::int32_t record_count() const { return load<std::int32_t>(BatchLayout::kRecordCount); }

  CompressionType compression() const { return attributes().compression(); }
  TimestampType timestamp_type() const { return attributes().timestamp_type(); }
  bool is_transactional() const { return attributes().is_transactional(); }
  bool is_control() const { return attributes().is_control(); }
  // When the cleaner may drop the batch's tombstones and markers (KIP-534); it takes the base timestamp's
  // place.
  std::optional<std::int64_t> delete_horizon_ms() const {
    return attributes().has_delete_horizon() ? std::optional(base_timestamp()) : std::nullopt;
  }

 protected:
  explicit RecordBatchHeader(const std::byte* at) : at_(at) {}
  const std::byte* at_;

 private:
  template <class T>
  T load(std::size_t field) const {
    return load_be<T>(at_ + field);
  }
};

// One whole batch.
class RecordBatchView : public RecordBatchHeader {
 public:
  // The batch at the start of `bytes`, which may go on behind it. Errors as RecordBatchHeader::parse;
  // also kCorruptMessage when the batch is longer than `bytes`.
  static Result<RecordBatchView> parse(BytesView bytes);

  BytesView bytes() const { return {at_, size_in_bytes()}; }
  // The records as they lie in the batch; compressed if compression() says so.
  BytesView payload() const { return bytes().subspan(kBatchHeaderBytes); }
  std::uint32_t computed_crc() const;
  bool crc_matches() const { return crc() == computed_crc(); }

 private:
  using RecordBatchHeader::RecordBatchHeader;
  friend class BatchIterator;
};

// The batches of a byte range, one after the other: a produce payload, a fetch response, a stretch of a
// segment.
class BatchIterator {
 public:
  explicit BatchIterator(BytesView bytes) : rest_(bytes) {}

  // Empty at the end and in front of a batch that the range cuts off. Errors as RecordBatchHeader::parse; an
  // iterator that failed stays where it is.
  Result<std::optional<RecordBatchView>> next();

  // What next() has not passed yet.
  BytesView rest() const { return rest_; }

 private:
  BytesView rest_;
};

// Patches. `batch` is one whole batch whose header has been checked.
void set_base_offset(MutableBytes batch, Offset offset);
void set_partition_leader_epoch(MutableBytes batch, LeaderEpoch epoch);
// Writes both and the new checksum; leaves the batch alone when they are what it has. With kLogAppendTime the
// timestamp is that of every record of the batch (KIP-32).
void set_max_timestamp(MutableBytes batch, TimestampType type, std::int64_t max_timestamp_ms);
// Makes the checksum right for the bytes as they are.
void set_crc(MutableBytes batch);

}  // namespace milena::protocol
