#include "protocol/record_batch_validator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/rng.h"
#include "protocol/error_code.h"
#include "protocol/record_batch_builder.h"
#include "protocol/record_batch_records.h"
#include "protocol/varint.h"

namespace milena::protocol {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::int64_t kNow = 1'700'000'000'000;
constexpr std::int32_t kMaxInt = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kMinInt = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kMaxLong = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinLong = std::numeric_limits<std::int64_t>::min();
constexpr CompressionType kAll[] = {CompressionType::kNone, CompressionType::kGzip, CompressionType::kSnappy,
                                    CompressionType::kLz4, CompressionType::kZstd};

const BatchRules kRules = {.produce_version = 12};

struct Outcome {
  ErrorCode code = ErrorCode::kNone;
  std::string why = {};
  std::vector<RecordError> record_errors = {};
  std::optional<ValidatedBatch> batch = {};
};

// Validates `bytes` in place.
Outcome validate(Bytes& bytes, const BatchRules& rules = kRules) {
  Codecs codecs;
  auto result = validate_produced_batch(bytes, rules, kNow, codecs);
  if (result) return {.batch = *result};
  return {result.error().error.code, result.error().error.why, result.error().record_errors, std::nullopt};
}

ErrorCode code_of(Bytes bytes, const BatchRules& rules = kRules) { return validate(bytes, rules).code; }

Bytes sound(CompressionType type = CompressionType::kNone, int records = 3) {
  RecordBatchBuilder builder({.compression = type});
  for (int i = 0; i < records; ++i) builder.append(kNow + i, as_bytes("key"), as_bytes("value"));
  return builder.build();
}

// A batch with the given header field and a checksum that fits.
template <class T>
Bytes with(std::size_t field, T value, Bytes bytes = sound()) {
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
Payload body(std::int32_t offset_delta = 0, std::int64_t timestamp_delta = 0) {
  Payload p;
  p.octet(0).varlong(timestamp_delta).varint(offset_delta);
  return p;
}

Bytes batch_around(const Payload& payload, std::int32_t count, CompressionType type,
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

TEST(BatchValidator, AcceptsWhatTheBuilderWritesWithEveryCodec) {
  for (const auto type : kAll) {
    const Bytes before = sound(type);
    Bytes bytes = before;
    const auto outcome = validate(bytes);
    ASSERT_EQ(outcome.code, ErrorCode::kNone) << outcome.why;
    EXPECT_EQ(bytes, before) << "nothing to patch";
    EXPECT_EQ(outcome.batch->max_timestamp_ms, kNow + 2);
    EXPECT_EQ(outcome.batch->log_append_time_ms, kNoTimestamp);
    EXPECT_FALSE(outcome.batch->needs_recompression);
    EXPECT_EQ(outcome.batch->batch.record_count(), 3);
  }
}

TEST(BatchValidator, EveryByteFlipBehindTheLeadersFieldsIsRefused) {
  for (const auto type : kAll) {
    const Bytes bytes = sound(type);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      Bytes flipped = bytes;
      flipped[at] ^= std::byte{0x10};
      const bool leader_epoch = at >= BatchLayout::kLeaderEpoch && at < BatchLayout::kMagic;
      const auto expected = leader_epoch                      ? ErrorCode::kNone
                            : at < BatchLayout::kLength       ? ErrorCode::kInvalidRecord
                            : at >= BatchLayout::kLeaderEpoch ? ErrorCode::kCorruptMessage
                                                              : code_of(flipped);
      EXPECT_EQ(code_of(flipped), expected) << at;
      if (!leader_epoch) {
        EXPECT_NE(code_of(flipped), ErrorCode::kNone) << at;
      }
    }
  }
}

TEST(BatchValidator, EveryTruncationIsRefused) {
  for (const auto type : kAll) {
    const Bytes bytes = sound(type);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_EQ(code_of(cut), ErrorCode::kInvalidRecord) << n;
    }
  }
}

TEST(BatchValidator, RandomBytesBehindASoundHeaderAreRefused) {
  SeededRng rng(5);
  for (int round = 0; round < 2000; ++round) {
    Payload payload;
    for (std::uint64_t n = rng.below(60); n > 0; --n)
      payload.octet(static_cast<int>(rng.below(rng.one_in(2) ? 256 : 20)));
    Bytes bytes = batch_around(payload, 3, kAll[rng.below(5)]);
    EXPECT_EQ(code_of(bytes), ErrorCode::kInvalidRecord);
  }
}

TEST(BatchValidator, F14HeaderTable) {
  EXPECT_EQ(code_of({}), ErrorCode::kInvalidRecord);
  for (const std::int32_t length : {-1, kMinInt, 0, 13, 48}) {
    Bytes bytes = sound();
    store_be(bytes.data() + BatchLayout::kLength, length);
    EXPECT_EQ(code_of(bytes), ErrorCode::kCorruptMessage) << length;
  }
  for (const std::int32_t length : {kMaxInt, 1000}) {  // the rest "has not arrived"
    Bytes bytes = sound();
    store_be(bytes.data() + BatchLayout::kLength, length);
    EXPECT_EQ(code_of(bytes), ErrorCode::kInvalidRecord) << length;
  }
  for (const int magic : {0, 1}) {
    EXPECT_EQ(code_of(with(BatchLayout::kMagic, static_cast<std::int8_t>(magic))), ErrorCode::kInvalidRecord);
  }
  for (const int magic : {3, 127, -1}) {
    EXPECT_EQ(code_of(with(BatchLayout::kMagic, static_cast<std::int8_t>(magic))),
              ErrorCode::kCorruptMessage);
  }
  for (const std::int64_t offset : {std::int64_t{1}, std::int64_t{-1}, kMaxLong, kMinLong}) {
    EXPECT_EQ(code_of(with(BatchLayout::kBaseOffset, offset)), ErrorCode::kInvalidRecord);
  }
  for (const std::int32_t delta : {-1, kMinInt, 0, 1, 3, kMaxInt}) {
    EXPECT_EQ(code_of(with(BatchLayout::kLastOffsetDelta, delta)), ErrorCode::kInvalidRecord) << delta;
  }
  for (const std::int32_t count : {-1, 0, 2, 4, kMaxInt, kMinInt}) {
    EXPECT_EQ(code_of(with(BatchLayout::kRecordCount, count)), ErrorCode::kInvalidRecord) << count;
    // The offset range agrees with the lie.
    EXPECT_EQ(code_of(with(BatchLayout::kLastOffsetDelta, static_cast<std::int32_t>(std::int64_t{count} - 1),
                           with(BatchLayout::kRecordCount, count))),
              ErrorCode::kInvalidRecord)
        << count;
  }
  Bytes wrong_crc = sound();
  wrong_crc[BatchLayout::kCrc] ^= std::byte{1};
  EXPECT_EQ(code_of(wrong_crc), ErrorCode::kCorruptMessage);
}

TEST(BatchValidator, ExactlyOneBatchAndACutSecondOneIsDropped) {
  const Bytes one = sound();
  Bytes two = one;
  two.insert(two.end(), one.begin(), one.end());
  EXPECT_EQ(code_of(two), ErrorCode::kInvalidRecord);

  Bytes cut = two;
  cut.resize(two.size() - 1);
  const auto outcome = validate(cut);
  ASSERT_EQ(outcome.code, ErrorCode::kNone);
  EXPECT_EQ(outcome.batch->bytes.size(), one.size());

  Bytes old_second = two;
  old_second[one.size() + BatchLayout::kMagic] = std::byte{1};
  EXPECT_EQ(code_of(old_second), ErrorCode::kInvalidRecord);
  Bytes corrupt_second = two;
  corrupt_second[one.size() + BatchLayout::kLength] = std::byte{0xff};
  EXPECT_EQ(code_of(corrupt_second), ErrorCode::kCorruptMessage);
}

Bytes flagged(std::uint16_t bits, ProducerId producer = kNoProducerId, std::int16_t epoch = -1,
              std::int32_t sequence = -1) {
  Bytes bytes = with(BatchLayout::kAttributes, bits);
  bytes = with(BatchLayout::kProducerId, producer.value, bytes);
  bytes = with(BatchLayout::kProducerEpoch, epoch, bytes);
  return with(BatchLayout::kBaseSequence, sequence, bytes);
}

TEST(BatchValidator, F15AttributesAndProducerTable) {
  for (const int codec : {5, 6, 7}) {
    EXPECT_EQ(code_of(flagged(static_cast<std::uint16_t>(codec))), ErrorCode::kUnsupportedCompressionType);
  }
  for (const int codec : {1, 2, 3, 4}) {  // says compressed, is not
    EXPECT_EQ(code_of(flagged(static_cast<std::uint16_t>(codec))), ErrorCode::kInvalidRecord) << codec;
  }
  EXPECT_EQ(code_of(flagged(BatchAttributes::kControl)), ErrorCode::kInvalidRecord);
  EXPECT_EQ(code_of(flagged(BatchAttributes::kDeleteHorizon)), ErrorCode::kInvalidRecord);
  EXPECT_EQ(code_of(flagged(0xff80)), ErrorCode::kNone) << "unused bits pass, as in Kafka";

  EXPECT_EQ(code_of(flagged(BatchAttributes::kTransactional)), ErrorCode::kInvalidRecord);
  EXPECT_EQ(code_of(flagged(BatchAttributes::kTransactional, 5, 0, 0)), ErrorCode::kNone);
  EXPECT_EQ(code_of(flagged(0, 5, 0, 0)), ErrorCode::kNone);
  EXPECT_EQ(code_of(flagged(0, 5, 0, kMaxInt)), ErrorCode::kNone) << "the sequence wraps within the batch";
  EXPECT_EQ(code_of(flagged(0, 5, -1, 0)), ErrorCode::kInvalidRecord);
  for (const std::int32_t sequence : {-1, -2, kMinInt}) {
    EXPECT_EQ(code_of(flagged(0, 5, 0, sequence)), ErrorCode::kInvalidRecord);
  }
  EXPECT_EQ(code_of(flagged(0, kMinLong, -7, -7)), ErrorCode::kNone) << "no producer id: the rest is ignored";
}

TEST(BatchValidator, F16RecordTable) {
  struct Case {
    const char* what;
    Payload payload;
    ErrorCode code = ErrorCode::kInvalidRecord;
    std::int32_t count = 1;
  };
  const auto tail = [](Payload p) {
    return p.varint(-1).varint(-1).varint(0);
  };  // null key and value, no headers
  const std::string long_key(1 << 20, 'k');
  std::vector<Case> cases;
  cases.push_back({"sound", Payload().record(tail(body())), ErrorCode::kNone});
  cases.push_back(
      {"record attributes are unused",
       Payload().record(Payload().octet(0xff).varlong(0).varint(0).varint(-1).varint(-1).varint(0)),
       ErrorCode::kNone});
  cases.push_back(
      {"empty key and value", Payload().record(body().varint(0).varint(0).varint(0)), ErrorCode::kNone});
  cases.push_back({"padded length varint",
                   Payload().octet(0x8e).octet(0x00).raw(tail(body()).octet(0).bytes()),
                   ErrorCode::kInvalidRecord});
  cases.push_back({"no records at all", Payload()});
  cases.push_back({"length negative", Payload().varint(-1).raw(tail(body()).bytes())});
  cases.push_back({"length smallest", Payload().varint(kMinInt).raw(tail(body()).bytes())});
  cases.push_back({"length zero", Payload().varint(0)});
  cases.push_back({"length beyond the batch", Payload().varint(100).raw(tail(body()).bytes())});
  cases.push_back({"length largest", Payload().varint(kMaxInt).raw(tail(body()).bytes())});
  cases.push_back(
      {"length too long a varint",
       Payload().octet(0xff).octet(0xff).octet(0xff).octet(0xff).octet(0xff).octet(0xff).octet(0)});
  cases.push_back({"bytes after the fields", Payload().record(tail(body()).octet(0))});
  cases.push_back({"bytes after the last record", Payload().record(tail(body())).octet(0)});
  cases.push_back({"offset delta not dense", Payload().record(tail(body(1)))});
  cases.push_back({"offset delta negative", Payload().record(tail(body(-1)))});
  cases.push_back({"offset delta repeated", Payload().record(tail(body(0))).record(tail(body(0))),
                   ErrorCode::kInvalidRecord, 2});
  cases.push_back({"offset deltas swapped", Payload().record(tail(body(1))).record(tail(body(0))),
                   ErrorCode::kInvalidRecord, 2});
  cases.push_back({"timestamp delta wraps into the far past", Payload().record(tail(body(0, kMaxLong))),
                   ErrorCode::kInvalidTimestamp});
  cases.push_back(
      {"timestamp delta smallest", Payload().record(tail(body(0, kMinLong))), ErrorCode::kInvalidTimestamp});
  cases.push_back({"timestamp delta too long a varlong",
                   Payload().record(Payload()
                                        .octet(0)
                                        .text("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
                                        .varint(0)
                                        .varint(-1)
                                        .varint(-1)
                                        .varint(0))});
  cases.push_back({"key length -2", Payload().record(body().varint(-2).varint(-1).varint(0))});
  cases.push_back({"key length beyond the record", Payload().record(body().varint(50).varint(-1).varint(0))});
  cases.push_back({"key length largest", Payload().record(body().varint(kMaxInt).varint(-1).varint(0))});
  cases.push_back({"value length -2", Payload().record(body().varint(-1).varint(-2).varint(0))});
  cases.push_back(
      {"value length beyond the record", Payload().record(body().varint(-1).varint(9).varint(0))});
  cases.push_back({"header count missing", Payload().record(body().varint(-1).varint(-1))});
  cases.push_back({"header count negative", Payload().record(body().varint(-1).varint(-1).varint(-1))});
  cases.push_back({"header count 10^7", Payload().record(body().varint(-1).varint(-1).varint(10'000'000))});
  cases.push_back(
      {"header key null", Payload().record(body().varint(-1).varint(-1).varint(1).varint(-1).varint(-1))});
  cases.push_back({"header key beyond the record",
                   Payload().record(body().varint(-1).varint(-1).varint(1).varint(9).varint(-1))});
  cases.push_back({"header value null",
                   Payload().record(body().varint(-1).varint(-1).varint(1).varint(1).text("h").varint(-1)),
                   ErrorCode::kNone});
  cases.push_back({"header value length -2",
                   Payload().record(body().varint(-1).varint(-1).varint(1).varint(1).text("h").varint(-2))});
  cases.push_back({"key of a MiB",
                   Payload().record(body().varint(1 << 20).text(long_key).varint(-1).varint(0)),
                   ErrorCode::kNone});
  cases.push_back(
      {"key of a MiB, cut", Payload().varint(1 << 20).raw(body().varint(1 << 20).text(long_key).bytes())});
  cases.push_back({"large record, bytes after the fields",
                   Payload().record(body().varint(1 << 20).text(long_key).varint(-1).varint(0).octet(0))});
  cases.push_back({"large record, value beyond it",
                   Payload().record(body().varint(1 << 20).text(long_key).varint(7).varint(0))});
  cases.push_back(
      {"large record, header",
       Payload().record(
           body().varint(-1).varint(1 << 20).text(long_key).varint(1).varint(1).text("h").varint(1).text(
               "v")),
       ErrorCode::kNone});
  cases.push_back({"large record, varint cut",
                   Payload().record(body().varint(1 << 20).text(long_key).varint(-1).octet(0x80))});
  BatchRules roomy = kRules;
  roomy.max_message_bytes = 4 << 20;
  for (const auto type : kAll) {
    for (const auto& c : cases) {
      Bytes bytes = batch_around(c.payload, c.count, type);
      const auto outcome = validate(bytes, roomy);
      EXPECT_EQ(outcome.code, c.code) << c.what << ", " << compression_name(type) << ": " << outcome.why;
    }
  }
}

TEST(BatchValidator, F17TimestampTable) {
  struct Case {
    std::int64_t timestamp;
    ErrorCode by_default;  // no bound into the past, an hour into the future
    ErrorCode within_a_day;
  };
  constexpr std::int64_t kHour = 3'600'000;
  constexpr std::int64_t kDay = 24 * kHour;
  constexpr auto kOk = ErrorCode::kNone;
  constexpr auto kBad = ErrorCode::kInvalidTimestamp;
  const Case cases[] = {
      {kNoTimestamp, kOk, kOk},
      {0, kOk, kBad},
      {-2, kOk, kBad},
      {kMinLong, kBad, kBad},
      {kMaxLong, kBad, kBad},
      {kNow, kOk, kOk},
      {kNow + kHour, kOk, kOk},
      {kNow + kHour + 1, kBad, kBad},
      {kNow - kDay, kOk, kOk},
      {kNow - kDay - 1, kOk, kBad},
      {kNow + 10 * 365 * kDay, kBad, kBad},
  };
  BatchRules within_a_day = kRules;
  within_a_day.timestamp_before_max_ms = kDay;
  for (const auto& c : cases) {
    for (const auto type : kAll) {
      RecordBatchBuilder builder({.compression = type});
      builder.append(c.timestamp, std::nullopt, as_bytes("v"));
      const Bytes bytes = builder.build();
      EXPECT_EQ(code_of(bytes), c.by_default) << c.timestamp;
      EXPECT_EQ(code_of(bytes, within_a_day), c.within_a_day) << c.timestamp;
      BatchRules stamping = within_a_day;
      stamping.timestamp_type = TimestampType::kLogAppendTime;
      EXPECT_EQ(code_of(bytes, stamping), ErrorCode::kNone) << "the client's time does not matter";
    }
  }
}

TEST(BatchValidator, AWrongMaxTimestampIsCorrectedAsKafkaDoes) {
  for (const auto type : kAll) {
    for (const std::int64_t lie : {kNow, kNow + 100, std::int64_t{0}, kNoTimestamp, kMaxLong}) {
      Bytes bytes = with(BatchLayout::kMaxTimestamp, lie, sound(type));
      const auto outcome = validate(bytes);
      ASSERT_EQ(outcome.code, ErrorCode::kNone) << outcome.why;
      EXPECT_EQ(outcome.batch->max_timestamp_ms, kNow + 2);
      EXPECT_EQ(bytes, sound(type)) << "field and checksum are right again";
    }
  }
}

TEST(BatchValidator, LogAppendTimeReplacesTheClientsTime) {
  BatchRules rules = kRules;
  rules.timestamp_type = TimestampType::kLogAppendTime;
  for (const auto type : kAll) {
    Bytes bytes = sound(type);
    const auto outcome = validate(bytes, rules);
    ASSERT_EQ(outcome.code, ErrorCode::kNone);
    EXPECT_EQ(outcome.batch->log_append_time_ms, kNow);
    EXPECT_EQ(outcome.batch->max_timestamp_ms, kNow);
    EXPECT_EQ(outcome.batch->batch.timestamp_type(), TimestampType::kLogAppendTime);
    EXPECT_EQ(outcome.batch->batch.max_timestamp(), kNow);
    EXPECT_TRUE(outcome.batch->batch.crc_matches());
  }
}

TEST(BatchValidator, LogAppendTimeSetByTheClient) {
  const auto stamped = [](std::int64_t max_timestamp) {
    return with(BatchLayout::kMaxTimestamp, max_timestamp,
                with(BatchLayout::kAttributes, BatchAttributes::kLogAppendTime));
  };
  BatchRules stamping = kRules;
  stamping.timestamp_type = TimestampType::kLogAppendTime;
  EXPECT_EQ(code_of(stamped(kNow), stamping), ErrorCode::kInvalidTimestamp);
  EXPECT_EQ(code_of(stamped(kNoTimestamp)), ErrorCode::kInvalidTimestamp);
  EXPECT_EQ(code_of(stamped(kMaxLong)), ErrorCode::kInvalidTimestamp);
  Bytes bytes = stamped(kNow - 5);  // Kafka takes it and clears the bit
  const auto outcome = validate(bytes);
  ASSERT_EQ(outcome.code, ErrorCode::kNone);
  EXPECT_EQ(outcome.batch->batch.timestamp_type(), TimestampType::kCreateTime);
  EXPECT_EQ(outcome.batch->max_timestamp_ms, kNow - 5);
  EXPECT_TRUE(outcome.batch->batch.crc_matches());
}

TEST(BatchValidator, ACompactedTopicNamesEveryRecordWithoutKey) {
  BatchRules rules = kRules;
  rules.compacted = true;
  for (const auto type : kAll) {
    RecordBatchBuilder builder({.compression = type});
    builder.append(kNow, as_bytes("k"), as_bytes("v"));
    builder.append(kNow, std::nullopt, as_bytes("v"));
    builder.append(kNow, as_bytes(""), std::nullopt);
    builder.append(kNow, std::nullopt, std::nullopt);
    Bytes bytes = builder.build();
    EXPECT_EQ(code_of(bytes), ErrorCode::kNone);
    const auto outcome = validate(bytes, rules);
    EXPECT_EQ(outcome.code, ErrorCode::kInvalidRecord);
    ASSERT_EQ(outcome.record_errors.size(), 2u);
    EXPECT_EQ(outcome.record_errors[0].batch_index, 1);
    EXPECT_EQ(outcome.record_errors[1].batch_index, 3);
    EXPECT_NE(outcome.record_errors[0].message.find("without key"), std::string::npos);
  }
}

TEST(BatchValidator, OneBadTimestampMakesTheWholeRejectionATimestampError) {
  BatchRules rules = kRules;
  rules.compacted = true;
  RecordBatchBuilder builder;
  builder.append(kNow, std::nullopt, as_bytes("v"));
  builder.append(kMaxLong, as_bytes("k"), as_bytes("v"));
  Bytes bytes = builder.build();
  const auto outcome = validate(bytes, rules);
  EXPECT_EQ(outcome.code, ErrorCode::kInvalidTimestamp);
  ASSERT_EQ(outcome.record_errors.size(), 2u);
  EXPECT_EQ(outcome.record_errors[1].batch_index, 1);
  EXPECT_NE(outcome.record_errors[1].message.find("9223372036854775807"), std::string::npos);
}

TEST(BatchValidator, RecordErrorsAreBounded) {
  BatchRules rules = kRules;
  rules.compacted = true;
  RecordBatchBuilder builder;
  for (int i = 0; i < 5000; ++i)
    builder.append(i == 4999 ? kMaxLong : kNow, i == 4999 ? std::optional(as_bytes("k")) : std::nullopt,
                   std::nullopt);
  Bytes bytes = builder.build();
  const auto outcome = validate(bytes, rules);
  EXPECT_EQ(outcome.code, ErrorCode::kInvalidTimestamp) << "the code still covers all records";
  EXPECT_EQ(outcome.record_errors.size(), kMaxRecordErrors);
}

TEST(BatchValidator, ZstdNeedsProduceVersion7) {
  BatchRules rules = kRules;
  rules.produce_version = 6;
  EXPECT_EQ(code_of(sound(CompressionType::kZstd), rules), ErrorCode::kUnsupportedCompressionType);
  EXPECT_EQ(code_of(sound(CompressionType::kLz4), rules), ErrorCode::kNone);
  rules.produce_version = 7;
  EXPECT_EQ(code_of(sound(CompressionType::kZstd), rules), ErrorCode::kNone);
}

TEST(BatchValidator, F19SizeIsThatOfTheWholeBatch) {
  const Bytes bytes = sound();
  BatchRules rules = kRules;
  rules.max_message_bytes = static_cast<std::int32_t>(bytes.size());
  EXPECT_EQ(code_of(bytes, rules), ErrorCode::kNone);
  --rules.max_message_bytes;
  EXPECT_EQ(code_of(bytes, rules), ErrorCode::kMessageTooLarge);
  EXPECT_EQ(BatchRules{}.max_message_bytes, 1024 * 1024 + 12);
}

TEST(BatchValidator, F19AHundredThousandTinyRecordsPass) {
  BatchRules rules = kRules;
  rules.max_message_bytes = 8 << 20;
  for (const auto type : kAll) {
    RecordBatchBuilder builder({.compression = type});
    for (int i = 0; i < 100'000; ++i) builder.append(kNow, std::nullopt, std::nullopt);
    EXPECT_EQ(code_of(builder.build(), rules), ErrorCode::kNone);
  }
}

TEST(BatchValidator, F18CompressedBodiesThatAreNotOneSoundStream) {
  for (const auto type : kAll) {
    if (type == CompressionType::kNone) continue;
    const Bytes good = sound(type, 20);
    for (std::size_t cut = 1; cut < good.size() - kBatchHeaderBytes; ++cut) {
      Bytes bytes(good.begin(), good.end() - static_cast<std::ptrdiff_t>(cut));
      bytes = with(BatchLayout::kLength, static_cast<std::int32_t>(bytes.size() - kBatchPrefixBytes), bytes);
      EXPECT_EQ(code_of(bytes), ErrorCode::kInvalidRecord) << compression_name(type) << cut;
    }
    Bytes trailing = good;
    trailing.resize(good.size() + 5);
    trailing =
        with(BatchLayout::kLength, static_cast<std::int32_t>(trailing.size() - kBatchPrefixBytes), trailing);
    EXPECT_EQ(code_of(trailing), ErrorCode::kInvalidRecord) << compression_name(type);
  }
}

TEST(BatchValidator, F18AValueThatIsItselfABatchIsOpaque) {
  for (const auto type : kAll) {
    RecordBatchBuilder builder({.compression = type});
    const Bytes inner = sound(CompressionType::kGzip);
    builder.append(kNow, std::nullopt, BytesView(inner));
    EXPECT_EQ(code_of(builder.build()), ErrorCode::kNone);
  }
}

TEST(BatchValidator, F18ABombIsTooLargeAndAMegabyteOfEqualRecordsIsNot) {
  for (const auto type : {CompressionType::kGzip, CompressionType::kZstd}) {
    const Bytes zeros(16 << 20);
    RecordBatchBuilder builder({.compression = type});
    builder.append(kNow, std::nullopt, BytesView(zeros));
    EXPECT_EQ(code_of(builder.build()), ErrorCode::kNone) << "16 MiB in one batch";
    builder.reset({.compression = type});
    for (int i = 0; i < 5; ++i) builder.append(kNow, std::nullopt, BytesView(zeros));
    EXPECT_EQ(code_of(builder.build()), ErrorCode::kMessageTooLarge) << "80 MiB in one small batch";
  }
}

TEST(Recompression, IsAskedForWhenTheTopicNamesAnotherCodec) {
  for (const auto from : kAll) {
    for (const auto to : kAll) {
      BatchRules rules = kRules;
      rules.compression = to;
      Bytes bytes = sound(from);
      EXPECT_EQ(validate(bytes, rules).batch->needs_recompression, from != to);
    }
  }
}

TEST(Recompression, KeepsEverythingButTheCodec) {
  for (const auto from : kAll) {
    for (const auto to : kAll) {
      RecordBatchBuilder builder({.compression = from,
                                  .producer_id = 3,
                                  .producer_epoch = 1,
                                  .base_sequence = 9,
                                  .transactional = true});
      for (int i = 0; i < 500; ++i) builder.append(kNow - i, as_bytes("key"), as_bytes(std::to_string(i)));
      Bytes bytes = builder.build();
      const auto before = RecordBatchView::parse(bytes).value();
      Codecs codecs;
      Bytes out(5);
      ASSERT_TRUE(recompress_batch(before, to, std::nullopt, 1 << 20, codecs, out));
      const auto after = RecordBatchView::parse(out).value();
      EXPECT_EQ(after.size_in_bytes(), out.size());
      EXPECT_EQ(after.compression(), to);
      EXPECT_TRUE(after.crc_matches());
      EXPECT_TRUE(after.is_transactional());
      EXPECT_EQ(after.base_sequence(), 9);
      EXPECT_EQ(after.max_timestamp(), kNow);
      ASSERT_EQ(code_of(out), ErrorCode::kNone);
      Bytes a;
      Bytes b;
      ASSERT_TRUE(decompress(codecs.decompressor, from, before.payload(), {}, a));
      ASSERT_TRUE(decompress(codecs.decompressor, to, after.payload(), {}, b));
      EXPECT_EQ(a, b);
    }
  }
}

TEST(Recompression, AResultBeyondTheLimitIsTooLarge) {
  const Bytes zeros(4 << 20);
  RecordBatchBuilder builder({.compression = CompressionType::kZstd});
  builder.append(kNow, std::nullopt, BytesView(zeros));
  const Bytes bytes = builder.build();
  const auto batch = RecordBatchView::parse(bytes).value();
  Codecs codecs;
  Bytes out;
  EXPECT_EQ(recompress_batch(batch, CompressionType::kNone, std::nullopt, 1 << 20, codecs, out).error().code,
            ErrorCode::kMessageTooLarge);
  EXPECT_LT(out.size(), std::size_t{2} << 20) << "stops on the way";
  EXPECT_TRUE(recompress_batch(batch, CompressionType::kGzip, 9, 1 << 20, codecs, out));
}

}  // namespace
}  // namespace milena::protocol
