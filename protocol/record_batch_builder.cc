#include "protocol/record_batch_builder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/assert.h"
#include "protocol/varint.h"

namespace milena::protocol {
namespace {

constexpr std::int64_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();

std::size_t nullable_size(std::optional<BytesView> bytes) {
  return bytes ? varint_size(static_cast<std::int32_t>(bytes->size())) + bytes->size() : 1;
}

std::size_t key_value_headers_size(std::optional<BytesView> key, std::optional<BytesView> value,
                                   std::span<const RecordHeader> headers) {
  std::size_t size = nullable_size(key) + nullable_size(value);
  size += varint_size(static_cast<std::int32_t>(headers.size()));
  for (const auto& header : headers)
    size += nullable_size(as_bytes(header.key)) + nullable_size(header.value);
  return size;
}

std::byte* write_nullable(std::byte* to, std::optional<BytesView> bytes) {
  if (!bytes) return write_varint(to, -1);
  to = write_varint(to, static_cast<std::int32_t>(bytes->size()));
  if (!bytes->empty()) std::memcpy(to, bytes->data(), bytes->size());
  return to + bytes->size();
}

}  // namespace

void RecordBatchBuilder::reset(const BatchSettings& settings) {
  settings_ = settings;
  records_.clear();
  count_ = 0;
  next_delta_ = 0;
  base_timestamp_ = kNoTimestamp;
  max_timestamp_ = kNoTimestamp;
  last_delta_.reset();
}

void RecordBatchBuilder::append(std::int64_t timestamp_ms, std::optional<BytesView> key,
                                std::optional<BytesView> value, std::span<const RecordHeader> headers) {
  append_at(next_offset(), timestamp_ms, key, value, headers);
}

void RecordBatchBuilder::append_at(Offset offset, std::int64_t timestamp_ms, std::optional<BytesView> key,
                                   std::optional<BytesView> value, std::span<const RecordHeader> headers) {
  const std::int64_t delta = offset - settings_.base_offset;
  MILENA_ASSERT(delta >= next_delta_ && delta <= kMaxInt32, "record offsets of a batch ascend");
  if (count_ == 0) {
    base_timestamp_ = settings_.delete_horizon_ms.value_or(timestamp_ms);
    max_timestamp_ = timestamp_ms;
  }
  // Compaction copies timestamps that clients chose: the difference wraps, and so does the reader's sum.
  const auto timestamp_delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp_ms) -
                                                         static_cast<std::uint64_t>(base_timestamp_));
  const auto offset_delta = static_cast<std::int32_t>(delta);
  const std::size_t body = 1 + varlong_size(timestamp_delta) + varint_size(offset_delta) +
                           key_value_headers_size(key, value, headers);
  MILENA_ASSERT(
      static_cast<std::int64_t>(records_.size() + body + kMaxVarint + kBatchHeaderBytes) < kMaxInt32,
      "a batch is smaller than 2 GiB");

  const std::size_t at = records_.size();
  records_.resize(at + varint_size(static_cast<std::int32_t>(body)) + body);
  std::byte* to = write_varint(records_.data() + at, static_cast<std::int32_t>(body));
  *to++ = std::byte{0};  // attributes, unused
  to = write_varlong(to, timestamp_delta);
  to = write_varint(to, offset_delta);
  to = write_nullable(to, key);
  to = write_nullable(to, value);
  to = write_varint(to, static_cast<std::int32_t>(headers.size()));
  for (const auto& header : headers) {
    to = write_nullable(to, as_bytes(header.key));
    to = write_nullable(to, header.value);
  }
  MILENA_ASSERT(to == records_.data() + records_.size(), "a record is as long as was computed");

  ++count_;
  next_delta_ = delta + 1;
  max_timestamp_ = std::max(max_timestamp_, timestamp_ms);
}

void RecordBatchBuilder::cover(Offset last_offset, std::int64_t max_timestamp_ms) {
  const std::int64_t delta = last_offset - settings_.base_offset;
  MILENA_ASSERT(delta >= next_delta_ - 1 && delta >= 0 && delta <= kMaxInt32, "a batch covers its records");
  last_delta_ = delta;
  if (count_ == 0) max_timestamp_ = max_timestamp_ms;
}

std::size_t RecordBatchBuilder::record_size_bound(std::optional<BytesView> key,
                                                  std::optional<BytesView> value,
                                                  std::span<const RecordHeader> headers) {
  return kMaxVarint + 1 + kMaxVarlong + kMaxVarint + key_value_headers_size(key, value, headers);
}

std::uint16_t RecordBatchBuilder::attribute_bits() const {
  auto bits = static_cast<std::uint16_t>(settings_.compression);
  if (settings_.log_append_time_ms) bits |= BatchAttributes::kLogAppendTime;
  if (settings_.transactional) bits |= BatchAttributes::kTransactional;
  if (settings_.control) bits |= BatchAttributes::kControl;
  if (settings_.delete_horizon_ms) bits |= BatchAttributes::kDeleteHorizon;
  return bits;
}

std::vector<std::byte> RecordBatchBuilder::build() {
  MILENA_ASSERT(count_ > 0 || last_delta_, "an empty batch says what it covers");
  std::vector<std::byte> batch(kBatchHeaderBytes);
  if (count_ == 0) settings_.compression = CompressionType::kNone;  // nothing to compress, as in Kafka
  const auto standard = compression_levels(settings_.compression).standard;
  const int level = count_ == 0 ? standard : settings_.compression_level.value_or(standard);
  compressor_.begin(settings_.compression, level, batch);
  compressor_.finish(records_);

  std::byte* const at = batch.data();
  const std::int64_t base_timestamp =
      count_ > 0 ? base_timestamp_ : settings_.delete_horizon_ms.value_or(kNoTimestamp);
  store_be(at + BatchLayout::kBaseOffset, settings_.base_offset.value);
  store_be(at + BatchLayout::kLength, static_cast<std::int32_t>(batch.size() - kBatchPrefixBytes));
  store_be(at + BatchLayout::kLeaderEpoch, settings_.partition_leader_epoch.value);
  store_be(at + BatchLayout::kMagic, kBatchMagic);
  store_be(at + BatchLayout::kAttributes, attribute_bits());
  store_be(at + BatchLayout::kLastOffsetDelta,
           static_cast<std::int32_t>(last_delta_.value_or(next_delta_ - 1)));
  store_be(at + BatchLayout::kBaseTimestamp, base_timestamp);
  store_be(at + BatchLayout::kMaxTimestamp, settings_.log_append_time_ms.value_or(max_timestamp_));
  store_be(at + BatchLayout::kProducerId, settings_.producer_id.value);
  store_be(at + BatchLayout::kProducerEpoch, settings_.producer_epoch);
  store_be(at + BatchLayout::kBaseSequence, settings_.base_sequence);
  store_be(at + BatchLayout::kRecordCount, count_);
  set_crc(batch);
  return batch;
}

}  // namespace milena::protocol
