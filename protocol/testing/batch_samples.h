// Produce payloads for tests of validation: sound ones, and ones with exactly one thing wrong.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error_code.h"
#include "protocol/record_batch_builder.h"
#include "protocol/record_batch_validator.h"
#include "protocol/varint.h"

namespace milena::protocol::testing {

using Bytes = std::vector<std::byte>;

inline constexpr std::int64_t kNow = 1'700'000'000'000;
inline constexpr std::int32_t kMaxInt = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int32_t kMinInt = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int64_t kMaxLong = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kMinLong = std::numeric_limits<std::int64_t>::min();
inline constexpr CompressionType kAll[] = {CompressionType::kNone, CompressionType::kGzip,
                                           CompressionType::kSnappy, CompressionType::kLz4,
                                           CompressionType::kZstd};

inline const BatchRules kRules = {.produce_version = 12};

struct Outcome {
  ErrorCode code = ErrorCode::kNone;
  std::string why = {};
  std::vector<RecordError> record_errors = {};
  std::optional<ValidatedBatch> batch = {};
};

// Validates `bytes` in place.
inline Outcome validate(Bytes& bytes, const BatchRules& rules = kRules) {
  Codecs codecs;
  auto result = validate_produced_batch(bytes, rules, kNow, codecs);
  if (result) return {.batch = *result};
  return {result.error().error.code, result.error().error.why, result.error().record_errors, std::nullopt};
}

inline ErrorCode code_of(Bytes bytes, const BatchRules& rules = kRules) {
  return validate(bytes, rules).code;
}

inline Bytes sound(CompressionType type = CompressionType::kNone, int records = 3) {
  RecordBatchBuilder builder({.compression = type});
  for (int i = 0; i < records; ++i) builder.append(kNow + i, as_bytes("key"), as_bytes("value"));
  return builder.build();
}

// A batch with the given header field and a checksum that fits.
template <class T>
inline Bytes with(std::size_t field, T value, Bytes bytes = sound()) {
  store_be(bytes.data() + field, value);
  set_crc(bytes);
  return bytes;
}

// Records put together by hand.
class Payload {
 public:
  Payload& varint(std::int32_t value) {
    std::byte raw[kMaxVarint];
    bytes_.insert(bytes_.end(), raw, write_varint(raw, value));
    return *this;
  }
  Payload& varlong(std::int64_t value) {
    std::byte raw[kMaxVarlong];
    bytes_.insert(bytes_.end(), raw, write_varlong(raw, value));
    return *this;
  }
  Payload& octet(int value) {
    bytes_.push_back(static_cast<std::byte>(value));
    return *this;
  }
  Payload& text(std::string_view text) {
    return raw({reinterpret_cast<const std::byte*>(text.data()), text.size()});
  }
  Payload& raw(BytesView bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  // A record around a body.
  Payload& record(const Payload& body) {
    return varint(static_cast<std::int32_t>(body.bytes_.size())).raw(body.bytes_);
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

// attributes 0, timestamp delta 0 and an offset delta: what comes before the key.
inline Payload body(std::int32_t offset_delta = 0, std::int64_t timestamp_delta = 0) {
  Payload p;
  p.octet(0).varlong(timestamp_delta).varint(offset_delta);
  return p;
}

inline Bytes batch_around(const Payload& payload, std::int32_t count, CompressionType type,
                          std::int64_t base_timestamp = kNow) {
  RecordBatchBuilder builder({.compression = type});
  builder.append(base_timestamp, std::nullopt, std::nullopt);
  Bytes bytes = builder.build();
  bytes.resize(kBatchHeaderBytes);
  Compressor compressor;
  compressor.begin(type, compression_levels(type).standard, bytes);
  compressor.finish(payload.bytes());
  store_be(bytes.data() + BatchLayout::kLength, static_cast<std::int32_t>(bytes.size() - kBatchPrefixBytes));
  store_be(bytes.data() + BatchLayout::kRecordCount, count);
  store_be(bytes.data() + BatchLayout::kLastOffsetDelta, count - 1);
  set_crc(bytes);
  return bytes;
}

}  // namespace milena::protocol::testing
