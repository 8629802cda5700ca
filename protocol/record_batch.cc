#include "protocol/record_batch.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "protocol/error_code.h"

namespace milena::protocol {
namespace {

constexpr std::size_t kPrefixToMagic = BatchLayout::kMagic + 1;
constexpr std::int32_t kShortestOfAnyFormat = 14;  // the length field of an empty record in format v0

std::int32_t length_of(BytesView bytes) { return load_be<std::int32_t>(bytes.data() + BatchLayout::kLength); }

// Fields that every format has. `bytes` starts a batch and holds at least kBatchPrefixBytes of it.
Status check_prefix(BytesView bytes) {
  if (length_of(bytes) < kShortestOfAnyFormat) {
    return fail(ErrorCode::kCorruptMessage, "impossible batch length");
  }
  if (bytes.size() < kPrefixToMagic) return {};
  const auto magic = load_be<std::int8_t>(bytes.data() + BatchLayout::kMagic);
  if (magic < 0 || magic > kBatchMagic) return fail(ErrorCode::kCorruptMessage, "unknown magic byte");
  return {};
}

// Whether it is format v2. `bytes` holds at least kPrefixToMagic.
Status check_format(BytesView bytes) {
  if (load_be<std::int8_t>(bytes.data() + BatchLayout::kMagic) < kBatchMagic) {
    return fail(ErrorCode::kUnsupportedForMessageFormat, "message format before v2");
  }
  if (length_of(bytes) < static_cast<std::int32_t>(kBatchHeaderBytes - kBatchPrefixBytes)) {
    return fail(ErrorCode::kCorruptMessage, "batch shorter than its header");
  }
  return {};
}

std::uint32_t crc_of(BytesView batch) { return crc32c(batch.subspan(BatchLayout::kAttributes)); }

void check_whole(BytesView batch) {
  MILENA_ASSERT(batch.size() >= kBatchHeaderBytes &&
                    batch.size() == kBatchPrefixBytes + static_cast<std::size_t>(length_of(batch)),
                "patching something that is not one whole batch");
}

}  // namespace

Result<RecordBatchHeader> RecordBatchHeader::parse(BytesView bytes) {
  if (bytes.size() >= kBatchPrefixBytes) MILENA_CHECK(check_prefix(bytes));
  if (bytes.size() >= kPrefixToMagic) MILENA_CHECK(check_format(bytes));
  if (bytes.size() < kBatchHeaderBytes) return fail(ErrorCode::kCorruptMessage, "batch header is cut off");
  return RecordBatchHeader(bytes.data());
}

Result<RecordBatchView> RecordBatchView::parse(BytesView bytes) {
  MILENA_TRY(const auto header, RecordBatchHeader::parse(bytes));
  if (header.size_in_bytes() > bytes.size()) return fail(ErrorCode::kCorruptMessage, "batch is cut off");
  return RecordBatchView(bytes.data());
}

std::uint32_t RecordBatchView::computed_crc() const { return crc_of(bytes()); }

Result<std::optional<RecordBatchView>> BatchIterator::next() {
  if (rest_.size() < kBatchPrefixBytes) return std::nullopt;
  MILENA_CHECK(check_prefix(rest_));
  const std::size_t size = kBatchPrefixBytes + static_cast<std::size_t>(length_of(rest_));
  if (size > rest_.size()) return std::nullopt;
  MILENA_CHECK(check_format(rest_));
  const RecordBatchView batch(rest_.data());
  rest_ = rest_.subspan(size);
  return batch;
}

void set_base_offset(MutableBytes batch, Offset offset) {
  check_whole(batch);
  store_be(batch.data() + BatchLayout::kBaseOffset, offset.value);
}

void set_partition_leader_epoch(MutableBytes batch, LeaderEpoch epoch) {
  check_whole(batch);
  store_be(batch.data() + BatchLayout::kLeaderEpoch, epoch.value);
}

void set_max_timestamp(MutableBytes batch, TimestampType type, std::int64_t max_timestamp_ms) {
  check_whole(batch);
  std::byte* const attributes_at = batch.data() + BatchLayout::kAttributes;
  std::byte* const timestamp_at = batch.data() + BatchLayout::kMaxTimestamp;
  BatchAttributes attributes{load_be<std::uint16_t>(attributes_at)};
  if (attributes.timestamp_type() == type && load_be<std::int64_t>(timestamp_at) == max_timestamp_ms) return;
  attributes.bits &= static_cast<std::uint16_t>(~BatchAttributes::kLogAppendTime);
  if (type == TimestampType::kLogAppendTime) attributes.bits |= BatchAttributes::kLogAppendTime;
  store_be(attributes_at, attributes.bits);
  store_be(timestamp_at, max_timestamp_ms);
  set_crc(batch);
}

void set_crc(MutableBytes batch) {
  check_whole(batch);
  store_be(batch.data() + BatchLayout::kCrc, crc_of(batch));
}

}  // namespace milena::protocol
