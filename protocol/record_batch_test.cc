#include "protocol/record_batch.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "protocol/error_code.h"
#include "protocol/record_batch_builder.h"

namespace milena::protocol {
namespace {

using Bytes = std::vector<std::byte>;

Bytes sample(Offset base_offset = 0) {
  RecordBatchBuilder builder({.base_offset = base_offset,
                              .partition_leader_epoch = 7,
                              .producer_id = 4000,
                              .producer_epoch = 3,
                              .base_sequence = 17,
                              .transactional = true});
  builder.append(1000, as_bytes("k"), as_bytes("v"));
  builder.append(1500, std::nullopt, as_bytes("w"));
  builder.append(1200, as_bytes("l"), std::nullopt);
  return builder.build();
}

RecordBatchView view_of(const Bytes& bytes) { return RecordBatchView::parse(bytes).value(); }

template <class T>
void put(Bytes& bytes, std::size_t field, T value) {
  store_be(bytes.data() + field, value);
}

TEST(RecordBatch, HeaderFieldsReadBack) {
  const Bytes bytes = sample(500);
  const auto batch = view_of(bytes);
  EXPECT_EQ(batch.base_offset(), Offset(500));
  EXPECT_EQ(batch.last_offset(), Offset(502));
  EXPECT_EQ(batch.partition_leader_epoch(), LeaderEpoch(7));
  EXPECT_EQ(batch.size_in_bytes(), bytes.size());
  EXPECT_EQ(batch.record_count(), 3);
  EXPECT_EQ(batch.last_offset_delta(), 2);
  EXPECT_EQ(batch.base_timestamp(), 1000);
  EXPECT_EQ(batch.max_timestamp(), 1500);
  EXPECT_EQ(batch.producer_id(), ProducerId(4000));
  EXPECT_EQ(batch.producer_epoch(), 3);
  EXPECT_EQ(batch.base_sequence(), 17);
  EXPECT_EQ(batch.last_sequence(), 19);
  EXPECT_TRUE(batch.is_transactional());
  EXPECT_FALSE(batch.is_control());
  EXPECT_EQ(batch.delete_horizon_ms(), std::nullopt);
  EXPECT_EQ(batch.timestamp_type(), TimestampType::kCreateTime);
  EXPECT_EQ(batch.compression(), CompressionType::kNone);
  EXPECT_TRUE(batch.crc_matches());
}

TEST(RecordBatch, SequencesWrapToZeroAndBack) {
  constexpr auto kMax = std::numeric_limits<std::int32_t>::max();
  EXPECT_EQ(increment_sequence(0, 5), 5);
  EXPECT_EQ(increment_sequence(kMax, 1), 0);
  EXPECT_EQ(increment_sequence(kMax - 1, 3), 1);
  EXPECT_EQ(increment_sequence(kMax, kMax), kMax - 1);
  EXPECT_EQ(decrement_sequence(0, 1), kMax);
  EXPECT_EQ(decrement_sequence(1, 3), kMax - 1);
  EXPECT_EQ(decrement_sequence(9, 9), 0);
}

TEST(RecordBatch, LastSequenceOfABatchWithoutSequenceIsNone) {
  RecordBatchBuilder builder;
  builder.append(1, std::nullopt, as_bytes("v"));
  const Bytes bytes = builder.build();
  EXPECT_EQ(view_of(bytes).last_sequence(), kNoSequence);
  EXPECT_FALSE(view_of(bytes).has_producer_id());
}

TEST(RecordBatch, EveryByteFlipBehindTheLeadersFieldsBreaksTheChecksumOrTheHeader) {
  const Bytes bytes = sample();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes flipped = bytes;
      flipped[at] ^= static_cast<std::byte>(1 << bit);
      const auto batch = RecordBatchView::parse(flipped);
      const bool leaders_field =
          at < BatchLayout::kLength || (at >= BatchLayout::kLeaderEpoch && at < BatchLayout::kMagic);
      if (leaders_field) {
        EXPECT_TRUE(batch.value().crc_matches()) << at;
      } else {
        EXPECT_FALSE(batch && batch->crc_matches()) << at;
      }
    }
  }
}

TEST(RecordBatch, ParseRefusesEveryTruncation) {
  const Bytes bytes = sample();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_EQ(RecordBatchView::parse(BytesView(bytes).first(n)).error().code, ErrorCode::kCorruptMessage)
        << n;
  }
}

TEST(RecordBatch, ParseRefusesHostileLengthsAndMagic) {
  for (const std::int32_t length :
       {-1, std::numeric_limits<std::int32_t>::min(), 0, 14, 48, std::numeric_limits<std::int32_t>::max()}) {
    Bytes bytes = sample();
    put(bytes, BatchLayout::kLength, length);
    EXPECT_EQ(RecordBatchView::parse(bytes).error().code, ErrorCode::kCorruptMessage) << length;
  }
  for (const int magic : {-128, -1, 3, 127}) {
    Bytes bytes = sample();
    put(bytes, BatchLayout::kMagic, static_cast<std::int8_t>(magic));
    EXPECT_EQ(RecordBatchView::parse(bytes).error().code, ErrorCode::kCorruptMessage) << magic;
  }
  for (const int magic : {0, 1}) {
    Bytes bytes = sample();
    put(bytes, BatchLayout::kMagic, static_cast<std::int8_t>(magic));
    EXPECT_EQ(RecordBatchView::parse(bytes).error().code, ErrorCode::kUnsupportedForMessageFormat);
  }
}

TEST(RecordBatch, HeaderAloneIsEnoughForRecordBatchHeader) {
  const Bytes bytes = sample(9);
  const auto header = RecordBatchHeader::parse(BytesView(bytes).first(kBatchHeaderBytes));
  EXPECT_EQ(header.value().last_offset(), Offset(11));
  EXPECT_EQ(header.value().size_in_bytes(), bytes.size());
}

TEST(BatchIterator, YieldsWholeBatchesAndStopsInFrontOfACutOne) {
  Bytes range = sample(0);
  const Bytes second = sample(3);
  range.insert(range.end(), second.begin(), second.end());
  for (std::size_t n = 0; n <= range.size(); ++n) {
    BatchIterator batches(BytesView(range).first(n));
    std::size_t whole = 0;
    for (;;) {
      const auto batch = batches.next();
      ASSERT_TRUE(batch);
      if (!*batch) break;
      EXPECT_EQ((*batch)->base_offset(), Offset(static_cast<std::int64_t>(3 * whole)));
      ++whole;
    }
    EXPECT_EQ(whole, n / second.size());
    EXPECT_EQ(batches.rest().size(), n % second.size());
  }
}

TEST(BatchIterator, StaysInFrontOfCorruption) {
  Bytes range = sample(0);
  const std::size_t size = range.size();
  Bytes second = sample(3);
  put<std::int32_t>(second, BatchLayout::kLength, -5);
  range.insert(range.end(), second.begin(), second.end());
  BatchIterator batches(range);
  EXPECT_TRUE(batches.next().value());
  EXPECT_FALSE(batches.next());
  EXPECT_FALSE(batches.next());
  EXPECT_EQ(batches.rest().size(), range.size() - size);
}

TEST(RecordBatchPatch, OffsetAndLeaderEpochLieOutsideTheChecksum) {
  Bytes bytes = sample();
  set_base_offset(bytes, 123456789012);
  set_partition_leader_epoch(bytes, 42);
  const auto batch = view_of(bytes);
  EXPECT_EQ(batch.base_offset(), Offset(123456789012));
  EXPECT_EQ(batch.last_offset(), Offset(123456789014));
  EXPECT_EQ(batch.partition_leader_epoch(), LeaderEpoch(42));
  EXPECT_TRUE(batch.crc_matches());
}

TEST(RecordBatchPatch, LogAppendTimeSetsTheBitAndTheChecksumAndNothingElse) {
  const Bytes before = sample();
  Bytes bytes = before;
  set_max_timestamp(bytes, TimestampType::kLogAppendTime, 777);
  const auto batch = view_of(bytes);
  EXPECT_EQ(batch.timestamp_type(), TimestampType::kLogAppendTime);
  EXPECT_EQ(batch.max_timestamp(), 777);
  EXPECT_TRUE(batch.crc_matches());
  EXPECT_TRUE(batch.is_transactional());
  EXPECT_EQ(batch.last_offset_delta(), 2);
  set_max_timestamp(bytes, TimestampType::kCreateTime, 1500);
  EXPECT_EQ(bytes, before);
}

TEST(RecordBatchPatch, AnUnchangedTimestampLeavesAWrongChecksumWrong) {
  Bytes bytes = sample();
  bytes.back() ^= std::byte{1};
  set_max_timestamp(bytes, TimestampType::kCreateTime, 1500);
  EXPECT_FALSE(view_of(bytes).crc_matches()) << "corruption must not be blessed";
}

}  // namespace
}  // namespace milena::protocol
