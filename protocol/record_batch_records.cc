#include "protocol/record_batch_records.h"

#include "protocol/error_code.h"
#include "protocol/record_batch_grammar.h"

namespace milena::protocol {

std::optional<RecordHeader> RecordHeaders::next() {
  if (count_ == 0) return std::nullopt;
  MemorySource source(rest_);
  BytesView key;
  std::optional<BytesView> value;
  if (!read_header(source, key, value)) return std::nullopt;
  rest_ = rest_.subspan(static_cast<std::size_t>(source.mark() - rest_.data()));
  --count_;
  return RecordHeader{.key = as_text(key), .value = value};
}

std::int64_t RecordView::timestamp(const RecordBatchHeader& batch) const {
  if (batch.timestamp_type() == TimestampType::kLogAppendTime) return batch.max_timestamp();
  // A hostile delta wraps, as it does in Java.
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(batch.base_timestamp()) +
                                   static_cast<std::uint64_t>(timestamp_delta));
}

Result<std::optional<RecordView>> RecordIterator::next() {
  if (left_ < 0) return fail(ErrorCode::kInvalidRecord, "negative record count");
  if (left_ == 0) {
    if (!rest_.empty()) return fail(ErrorCode::kInvalidRecord, "more records than the batch declares");
    return std::nullopt;
  }
  const std::byte* const end = rest_.data() + rest_.size();
  std::int32_t length = 0;
  const std::byte* const body = read_varint(rest_.data(), end, length);
  if (body == nullptr || length < 0 || length > end - body) {
    return fail(ErrorCode::kInvalidRecord, "record has an impossible length");
  }
  const BytesView bytes(body, static_cast<std::size_t>(length));
  MemorySource source(bytes);
  RecordFields<MemorySource> fields;
  if (const char* why = read_record_body(source, fields)) return fail(ErrorCode::kInvalidRecord, why);
  const std::byte* const next_record = body + length;
  rest_ = {next_record, static_cast<std::size_t>(end - next_record)};
  --left_;
  return RecordView{
      .attributes = fields.attributes,
      .timestamp_delta = fields.timestamp_delta,
      .offset_delta = fields.offset_delta,
      .key = fields.key,
      .value = fields.value,
      .headers = {fields.header_count,
                  BytesView(fields.headers, static_cast<std::size_t>(next_record - fields.headers))},
  };
}

Result<RecordIterator> read_records(const RecordBatchView& batch, Decompressor& decompressor,
                                    std::vector<std::byte>& buffer, const DecompressionLimits& limits) {
  if (batch.compression() == CompressionType::kNone) {
    return RecordIterator(batch.payload(), batch.record_count());
  }
  // Compaction may have emptied the batch; then there is nothing to unfold either.
  if (batch.record_count() == 0 && batch.payload().empty()) return RecordIterator({}, 0);
  MILENA_CHECK(decompress(decompressor, batch.compression(), batch.payload(), limits, buffer));
  return RecordIterator(buffer, batch.record_count());
}

}  // namespace milena::protocol
