#include "protocol/record_batch_builder.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/rng.h"
#include "protocol/error_code.h"
#include "protocol/record_batch_records.h"

namespace milena::protocol {
namespace {

using Bytes = std::vector<std::byte>;

constexpr CompressionType kAll[] = {CompressionType::kNone, CompressionType::kGzip, CompressionType::kSnappy,
                                    CompressionType::kLz4, CompressionType::kZstd};

struct Sent {
  std::int64_t timestamp = 0;
  std::optional<std::string> key = {};
  std::optional<std::string> value = {};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers = {};
};

std::optional<BytesView> bytes_or_null(const std::optional<std::string>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

std::optional<std::string> text_or_null(const std::optional<BytesView>& bytes) {
  return bytes ? std::optional(std::string(as_text(*bytes))) : std::nullopt;
}

std::string random_text(Rng& rng, std::uint64_t below) {
  std::string text(rng.below(below), ' ');
  for (auto& c : text) c = static_cast<char>(rng.one_in(3) ? rng.next() : 'a');
  return text;
}

Sent random_record(Rng& rng) {
  Sent sent;
  sent.timestamp = rng.one_in(10) ? kNoTimestamp : static_cast<std::int64_t>(rng.below(4'000'000'000'000));
  if (!rng.one_in(4)) sent.key = random_text(rng, 30);
  if (!rng.one_in(4)) sent.value = random_text(rng, rng.one_in(50) ? 400'000 : 300);
  for (std::uint64_t n = rng.one_in(3) ? rng.below(5) : 0; n > 0; --n) {
    sent.headers.emplace_back(random_text(rng, 10), std::nullopt);
    if (!rng.one_in(3)) sent.headers.back().second = random_text(rng, 20);
  }
  return sent;
}

void append(RecordBatchBuilder& builder, const Sent& sent) {
  std::vector<RecordHeader> headers = {};
  for (const auto& [key, value] : sent.headers) headers.push_back({key, bytes_or_null(value)});
  const auto before = builder.uncompressed_size();
  builder.append(sent.timestamp, bytes_or_null(sent.key), bytes_or_null(sent.value), headers);
  EXPECT_LE(
      builder.uncompressed_size() - before,
      RecordBatchBuilder::record_size_bound(bytes_or_null(sent.key), bytes_or_null(sent.value), headers));
}

void expect_equal(const RecordBatchView& batch, const Bytes& bytes, const std::vector<Sent>& expected) {
  Decompressor decompressor;
  Bytes buffer;
  auto records = read_records(batch, decompressor, buffer);
  ASSERT_TRUE(records) << records.error().why;
  EXPECT_EQ(batch.size_in_bytes(), bytes.size());
  std::int32_t index = 0;
  for (const auto& sent : expected) {
    const auto next = records->next();
    ASSERT_TRUE(next && *next);
    RecordView record = **next;
    EXPECT_EQ(record.offset_delta, index);
    EXPECT_EQ(record.offset(batch), batch.base_offset() + index);
    EXPECT_EQ(record.timestamp(batch), sent.timestamp);
    EXPECT_EQ(text_or_null(record.key), sent.key);
    EXPECT_EQ(text_or_null(record.value), sent.value);
    ASSERT_EQ(record.headers.remaining(), static_cast<std::int32_t>(sent.headers.size()));
    for (const auto& [key, value] : sent.headers) {
      const auto header = record.headers.next();
      ASSERT_TRUE(header);
      EXPECT_EQ(header->key, key);
      EXPECT_EQ(text_or_null(header->value), value);
    }
    EXPECT_FALSE(record.headers.next());
    ++index;
  }
  const auto end = records->next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
}

TEST(RecordBatchBuilder, RandomRecordsReadBackThroughEveryCodec) {
  SeededRng rng(21);
  RecordBatchBuilder builder;
  for (int round = 0; round < 120; ++round) {
    std::vector<Sent> sent(1 + rng.below(60));
    for (auto& record : sent) record = random_record(rng);
    const auto type = kAll[rng.below(5)];
    builder.reset({.base_offset = static_cast<std::int64_t>(rng.below(1u << 30)), .compression = type});
    for (const auto& record : sent) append(builder, record);
    EXPECT_EQ(builder.record_count(), static_cast<std::int32_t>(sent.size()));
    const Bytes bytes = builder.build();
    const auto batch = RecordBatchView::parse(bytes);
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->crc_matches());
    EXPECT_EQ(batch->compression(), type);
    EXPECT_EQ(batch->base_timestamp(), sent[0].timestamp);
    expect_equal(*batch, bytes, sent);
  }
}

TEST(RecordBatchBuilder, LogAppendTimeIsTheTimeOfEveryRecord) {
  RecordBatchBuilder builder({.log_append_time_ms = 9000});
  builder.append(5, std::nullopt, as_bytes("v"));
  builder.append(6, std::nullopt, as_bytes("v"));
  const Bytes bytes = builder.build();
  const auto batch = RecordBatchView::parse(bytes).value();
  EXPECT_EQ(batch.timestamp_type(), TimestampType::kLogAppendTime);
  EXPECT_EQ(batch.max_timestamp(), 9000);
  RecordIterator records(batch.payload(), batch.record_count());
  EXPECT_EQ(records.next().value()->timestamp(batch), 9000);
}

TEST(RecordBatchBuilder, CompactionKeepsOffsetsTheRangeAndTheDeleteHorizon) {
  RecordBatchBuilder builder({.base_offset = 100, .delete_horizon_ms = 5000});
  builder.append_at(103, 70, as_bytes("k"), std::nullopt);
  builder.append_at(107, 90, as_bytes("l"), as_bytes("v"));
  builder.cover(110, 1);
  const Bytes bytes = builder.build();
  const auto batch = RecordBatchView::parse(bytes).value();
  EXPECT_EQ(batch.last_offset(), Offset(110));
  EXPECT_EQ(batch.record_count(), 2);
  EXPECT_EQ(batch.delete_horizon_ms(), 5000);
  EXPECT_EQ(batch.max_timestamp(), 90);
  RecordIterator records(batch.payload(), batch.record_count());
  const auto first = *records.next().value();
  EXPECT_EQ(first.offset(batch), Offset(103));
  EXPECT_EQ(first.timestamp(batch), 70) << "relative to the horizon";
  EXPECT_EQ(records.next().value()->offset(batch), Offset(107));
}

TEST(RecordBatchBuilder, AnEmptiedBatchKeepsItsSequenceAndTimestamp) {
  for (const auto type : kAll) {
    RecordBatchBuilder builder(
        {.base_offset = 10, .compression = type, .producer_id = 1, .producer_epoch = 0, .base_sequence = 40});
    builder.cover(14, 777);
    const Bytes bytes = builder.build();
    const auto batch = RecordBatchView::parse(bytes).value();
    EXPECT_TRUE(batch.crc_matches());
    EXPECT_EQ(batch.size_in_bytes(), kBatchHeaderBytes);
    EXPECT_EQ(batch.record_count(), 0);
    EXPECT_EQ(batch.last_sequence(), 44);
    EXPECT_EQ(batch.max_timestamp(), 777);
    EXPECT_EQ(batch.base_timestamp(), kNoTimestamp);
    expect_equal(batch, bytes, {});
  }
}

TEST(RecordBatchBuilder, TimestampsAtTheEndsOfTheRangeReadBack) {
  constexpr auto kLow = std::numeric_limits<std::int64_t>::min();
  constexpr auto kHigh = std::numeric_limits<std::int64_t>::max();
  RecordBatchBuilder builder;
  const std::vector<Sent> sent = {
      {.timestamp = kHigh}, {.timestamp = kLow}, {.timestamp = -1}, {.timestamp = 0}};
  for (const auto& record : sent) append(builder, record);
  const Bytes bytes = builder.build();
  expect_equal(RecordBatchView::parse(bytes).value(), bytes, sent);
}

TEST(RecordIterator, RefusesWhatIsNotExactlyTheDeclaredRecords) {
  RecordBatchBuilder builder;
  builder.append(1, as_bytes("key"), as_bytes("value"), std::vector<RecordHeader>{{"h", as_bytes("x")}});
  builder.append(2, as_bytes("key"), as_bytes("value"));
  const Bytes bytes = builder.build();
  const auto payload = RecordBatchView::parse(bytes).value().payload();
  const auto count_read = [](BytesView records, std::int32_t count) -> Result<int> {
    RecordIterator iterator(records, count);
    for (int n = 0;; ++n) {
      MILENA_TRY(const auto record, iterator.next());
      if (!record) return n;
    }
  };
  EXPECT_EQ(count_read(payload, 2).value(), 2);
  for (const std::int32_t count : {-1, 0, 1, 3, std::numeric_limits<std::int32_t>::max()}) {
    EXPECT_EQ(count_read(payload, count).error().code, ErrorCode::kInvalidRecord) << count;
  }
  for (std::size_t n = 0; n < payload.size(); ++n) {
    EXPECT_EQ(count_read(payload.first(n), 2).error().code, ErrorCode::kInvalidRecord) << n;
  }
}

}  // namespace
}  // namespace milena::protocol
