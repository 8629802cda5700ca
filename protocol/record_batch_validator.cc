#include "protocol/record_batch_validator.h"

#include <algorithm>
#include <string>

#include "base/assert.h"
#include "protocol/error_code.h"
#include "protocol/record_batch_grammar.h"
#include "protocol/record_batch_skimmer.h"

namespace milena::protocol {
namespace {

constexpr std::int16_t kFirstProduceVersionWithZstd = 7;

// As RecordSkimmer, for records that lie in memory. The hot path: a few nanoseconds per record.
class RecordWalker {
 public:
  explicit RecordWalker(BytesView payload) : at_(payload.data()), end_(payload.data() + payload.size()) {}

  Result<RecordFacts> next() {
    std::int32_t length = 0;
    const std::byte* const body = read_varint(at_, end_, length);
    if (body == nullptr || length < 0 || length > end_ - body) [[unlikely]] {
      return fail(ErrorCode::kInvalidRecord, "record has an impossible length");
    }
    MemorySource source({body, static_cast<std::size_t>(length)});
    RecordFields<MemorySource> fields;
    if (const char* why = read_record_body(source, fields)) [[unlikely]] {
      return fail(ErrorCode::kInvalidRecord, why);
    }
    at_ = body + length;
    return RecordFacts{fields.timestamp_delta, fields.offset_delta, fields.key.has_value()};
  }

  Result<bool> at_end() const { return at_ == end_; }

 private:
  const std::byte* at_;
  const std::byte* end_;
};

std::int64_t saturated_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

// What each record is held against, and what was found.
class RecordChecks {
 public:
  RecordChecks(const RecordBatchHeader& batch, const BatchRules& rules, std::int64_t now_ms)
      : compacted_(rules.compacted), base_timestamp_(static_cast<std::uint64_t>(batch.base_timestamp())) {
    if (rules.timestamp_type == TimestampType::kCreateTime) {
      earliest_ = saturated_sum(now_ms, -rules.timestamp_before_max_ms);
      latest_ = saturated_sum(now_ms, rules.timestamp_after_max_ms);
    } else {
      stamped_by_client_ = batch.timestamp_type() == TimestampType::kLogAppendTime;
    }
  }

  void check(std::int32_t index, const RecordFacts& record) {
    // A hostile delta wraps, as it does in Java.
    const auto timestamp =
        static_cast<std::int64_t>(base_timestamp_ + static_cast<std::uint64_t>(record.timestamp_delta));
    max_timestamp_ = std::max(max_timestamp_, timestamp);
    const bool good = record.offset_delta == index && (record.has_key || !compacted_) &&
                      ((timestamp >= earliest_ && timestamp <= latest_) || timestamp == kNoTimestamp) &&
                      !stamped_by_client_;
    if (!good) [[unlikely]]
      note(index, record, timestamp);
  }

  std::int64_t max_timestamp() const { return max_timestamp_; }

  // kInvalidTimestamp if any record has a bad timestamp: clients drop the batch for either code.
  std::expected<void, BatchRejection> verdict() {
    if (errors_.empty()) return {};
    BatchRejection rejection(
        bad_timestamp_ ? Error{ErrorCode::kInvalidTimestamp, "records with a timestamp out of range"}
                       : Error{ErrorCode::kInvalidRecord, "records that the topic does not take"});
    rejection.record_errors = std::move(errors_);
    return std::unexpected(std::move(rejection));
  }

 private:
  [[gnu::noinline]] void note(std::int32_t index, const RecordFacts& record, std::int64_t timestamp) {
    const bool misplaced = record.offset_delta != index;
    const bool keyless = compacted_ && !record.has_key;
    if (!misplaced && !keyless) bad_timestamp_ = true;
    if (errors_.size() == kMaxRecordErrors) return;
    std::string message;
    if (misplaced) {
      message = "offset delta " + std::to_string(record.offset_delta) +
                " does not match the record's place in the batch";
    } else if (keyless) {
      message = "a compacted topic does not take records without key";
    } else if (stamped_by_client_) {
      message = "producers may not set the timestamp type to LogAppendTime";
    } else {
      message = "timestamp " + std::to_string(timestamp) + " lies outside [" + std::to_string(earliest_) +
                ", " + std::to_string(latest_) + "]";
    }
    errors_.push_back({index, std::move(message)});
  }

  const bool compacted_;
  const std::uint64_t base_timestamp_;
  std::int64_t earliest_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t latest_ = std::numeric_limits<std::int64_t>::max();
  bool stamped_by_client_ = false;  // on a topic where the broker stamps
  std::int64_t max_timestamp_ = kNoTimestamp;
  bool bad_timestamp_ = false;
  std::vector<RecordError> errors_;
};

// All records in order; each is well-formed, and there are as many as declared.
template <class Reader>
Status walk(Reader& reader, std::int32_t count, RecordChecks& checks) {
  for (std::int32_t index = 0; index < count; ++index) {
    MILENA_TRY(const RecordFacts record, reader.next());
    checks.check(index, record);
  }
  MILENA_TRY(const bool ended, reader.at_end());
  if (!ended) return fail(ErrorCode::kInvalidRecord, "more records than the batch declares");
  return {};
}

Status walk_compressed(const RecordBatchView& batch, const BatchRules& rules, RecordChecks& checks,
                       Codecs& codecs) {
  codecs.scratch.resize(RecordSkimmer::kScratchBytes);
  MILENA_CHECK(codecs.decompressor.begin(batch.compression(), batch.payload(), rules.decompression));
  RecordSkimmer skimmer(codecs.decompressor, codecs.scratch);
  return walk(skimmer, batch.record_count(), checks);
}

Status walk_records(const RecordBatchView& batch, const BatchRules& rules, RecordChecks& checks,
                    Codecs& codecs) {
  if (batch.compression() == CompressionType::kNone) {
    RecordWalker walker(batch.payload());
    return walk(walker, batch.record_count(), checks);
  }
  Status status = walk_compressed(batch, rules, checks, codecs);
  // The checksum was right, so it will not help to send the batch again, as kCorruptMessage makes clients do.
  if (!status && status.error().code == ErrorCode::kCorruptMessage) {
    status.error().code = ErrorCode::kInvalidRecord;
  }
  return status;
}

// The one batch of a partition's records field.
Result<RecordBatchView> only_batch(BytesView records, const BatchRules& rules) {
  BatchIterator batches(records);
  auto first = batches.next();
  if (!first && first.error().code == ErrorCode::kUnsupportedForMessageFormat) {
    return fail(ErrorCode::kInvalidRecord, "message format before v2");
  }
  MILENA_TRY(const auto batch, std::move(first));
  if (!batch) return fail(ErrorCode::kInvalidRecord, "no complete record batch");
  if (batch->compression() == CompressionType::kZstd &&
      rules.produce_version < kFirstProduceVersionWithZstd) {
    return fail(ErrorCode::kUnsupportedCompressionType, "zstd in a produce request before version 7");
  }
  const auto second = batches.next();
  if (!second && second.error().code == ErrorCode::kCorruptMessage) return std::unexpected(second.error());
  if (!second || *second) return fail(ErrorCode::kInvalidRecord, "more than one record batch");
  return *batch;
}

// Everything that the header alone tells, in Kafka's order.
Status check_header(const RecordBatchView& batch, const BatchRules& rules) {
  if (batch.base_offset() != Offset(0)) return fail(ErrorCode::kInvalidRecord, "base offset is not 0");
  if (batch.size_in_bytes() > static_cast<std::size_t>(rules.max_message_bytes)) {
    return fail(ErrorCode::kMessageTooLarge, "batch exceeds max.message.bytes");
  }
  if (!batch.crc_matches()) return fail(ErrorCode::kCorruptMessage, "checksum does not match");
  if (batch.compression() > CompressionType::kZstd) {
    return fail(ErrorCode::kUnsupportedCompressionType, "unknown compression codec");
  }
  if (batch.record_count() <= 0 || batch.last_offset_delta() != batch.record_count() - 1) {
    return fail(ErrorCode::kInvalidRecord, "record count and offset range disagree");
  }
  if (batch.is_control()) return fail(ErrorCode::kInvalidRecord, "clients may not write control records");
  if (batch.delete_horizon_ms())
    return fail(ErrorCode::kInvalidRecord, "clients may not set a delete horizon");
  if (batch.has_producer_id() && (batch.base_sequence() < 0 || batch.producer_epoch() < 0)) {
    return fail(ErrorCode::kInvalidRecord, "producer id without sequence or epoch");
  }
  if (batch.is_transactional() && !batch.has_producer_id()) {
    return fail(ErrorCode::kInvalidRecord, "transactional batch without producer id");
  }
  return {};
}

}  // namespace

std::expected<ValidatedBatch, BatchRejection> validate_produced_batch(MutableBytes records,
                                                                      const BatchRules& rules,
                                                                      std::int64_t now_ms, Codecs& codecs) {
  const auto only = only_batch(records, rules);
  if (!only) {
    BatchRejection rejection(only.error());
    rejection.is_of_request = true;
    return std::unexpected(std::move(rejection));
  }
  const RecordBatchView batch = *only;
  MILENA_CHECK(check_header(batch, rules));

  RecordChecks checks(batch, rules, now_ms);
  MILENA_CHECK(walk_records(batch, rules, checks, codecs));
  MILENA_CHECK(checks.verdict());

  const bool stamp = rules.timestamp_type == TimestampType::kLogAppendTime;
  const std::int64_t max_timestamp = stamp ? now_ms : checks.max_timestamp();
  const MutableBytes bytes = records.first(batch.size_in_bytes());
  set_max_timestamp(bytes, rules.timestamp_type, max_timestamp);
  return ValidatedBatch{
      .bytes = bytes,
      .batch = batch,
      .max_timestamp_ms = max_timestamp,
      .log_append_time_ms = stamp ? now_ms : kNoTimestamp,
      .needs_recompression = rules.compression && *rules.compression != batch.compression(),
  };
}

Status recompress_batch(const RecordBatchView& batch, const BatchRules& rules, std::optional<int> level,
                        Codecs& codecs, std::vector<std::byte>& out) {
  MILENA_ASSERT(rules.compression.has_value(), "the topic keeps the client's compression");
  const CompressionType type = *rules.compression;
  const auto cap = static_cast<std::size_t>(rules.max_message_bytes);
  const BytesView header = batch.bytes().first(kBatchHeaderBytes);
  out.assign(header.begin(), header.end());
  codecs.scratch.resize(RecordSkimmer::kScratchBytes);
  MILENA_CHECK(codecs.decompressor.begin(batch.compression(), batch.payload(), rules.decompression));
  codecs.compressor.begin(type, level.value_or(compression_levels(type).standard), out);
  for (bool ended = false; !ended;) {
    MILENA_TRY(const std::size_t n, codecs.decompressor.read(codecs.scratch));
    ended = n < codecs.scratch.size();
    const BytesView piece = BytesView(codecs.scratch).first(n);
    if (ended) {
      codecs.compressor.finish(piece);
    } else {
      codecs.compressor.write(piece);
    }
    if (out.size() > cap)
      return fail(ErrorCode::kMessageTooLarge, "recompressed batch exceeds max.message.bytes");
  }
  BatchAttributes attributes = batch.attributes();
  attributes.bits &= static_cast<std::uint16_t>(~BatchAttributes::kCompressionMask);
  attributes.bits |= static_cast<std::uint16_t>(type);
  store_be(out.data() + BatchLayout::kAttributes, attributes.bits);
  store_be(out.data() + BatchLayout::kLength, static_cast<std::int32_t>(out.size() - kBatchPrefixBytes));
  set_crc(out);
  return {};
}

}  // namespace milena::protocol
