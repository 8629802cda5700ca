#include "protocol/record_batch_validator.h"

#include <gtest/gtest.h>

#include "protocol/testing/batch_samples.h"

namespace milena::protocol::testing {
namespace {

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
  // Where the client's time counts, the bit is cleared and the records' own times hold, whatever the maximum
  // says.
  for (const std::int64_t max_timestamp : {kNow - 5, kNoTimestamp, kMaxLong}) {
    Bytes bytes = stamped(max_timestamp);
    const auto outcome = validate(bytes);
    ASSERT_EQ(outcome.code, ErrorCode::kNone);
    EXPECT_EQ(bytes, sound());
  }
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
      BatchRules rules = kRules;
      rules.compression = to;
      ASSERT_TRUE(recompress_batch(before, rules, std::nullopt, codecs, out));
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
  BatchRules rules = kRules;
  rules.max_message_bytes = 1 << 20;
  rules.compression = CompressionType::kNone;
  EXPECT_EQ(recompress_batch(batch, rules, std::nullopt, codecs, out).error().code,
            ErrorCode::kMessageTooLarge);
  EXPECT_LT(out.size(), std::size_t{2} << 20) << "stops on the way";
  rules.compression = CompressionType::kGzip;
  EXPECT_TRUE(recompress_batch(batch, rules, 9, codecs, out));
}

}  // namespace
}  // namespace milena::protocol::testing
