#include "controller/image/metadata_loader.h"

#include <gtest/gtest.h>

#include "controller/testing/random_log.h"
#include "protocol/error_code.h"

namespace milena::controller {
namespace {

// Feeds lists of records to a loader as batches.
class LoaderTest : public testing::Test {
 protected:
  Result<std::optional<MetadataUpdate>> load(std::initializer_list<MetadataRecordBody> bodies) {
    std::vector<MetadataRecord> records;
    for (const auto& body : bodies) records.push_back({.body = body});
    return load_bytes(
        encode_metadata_batch(records, {.base_offset = loader_.next_offset(), .epoch = 1}).value());
  }
  Result<std::optional<MetadataUpdate>> load_bytes(const std::vector<std::byte>& bytes) {
    Arena arena;
    MILENA_TRY(const auto view, protocol::RecordBatchView::parse(bytes));
    MILENA_TRY(const MetadataBatch batch, decode_metadata_batch(view, arena));
    return loader_.load(batch);
  }
  static protocol::FeatureLevelRecord level(std::int16_t to) { return {.name = "f", .feature_level = to}; }
  FeatureLevel seen() const { return loader_.image()->feature("f"); }

  MetadataLoader loader_;
};

TEST_F(LoaderTest, PublishesAtTheEndOfEveryBatch) {
  const auto update = load({level(1), level(2)});
  ASSERT_TRUE(update && *update);
  EXPECT_EQ((*update)->image, loader_.image());
  EXPECT_EQ(seen(), 2);
  EXPECT_EQ(loader_.image()->provenance.offset, Offset(1));
  EXPECT_TRUE((*update)->changes.features);
  const auto nothing_new = load({protocol::NoOpRecord{}});
  EXPECT_FALSE((*nothing_new)->changes.features);
  EXPECT_EQ(loader_.image()->provenance.offset, Offset(2));
}

TEST_F(LoaderTest, ATransactionShowsAtItsEndAllAtOnce) {
  ASSERT_TRUE(load({level(1), protocol::BeginTransactionRecord{}, level(2)}));
  EXPECT_EQ(seen(), 0);
  EXPECT_EQ(loader_.transaction_start(), Offset(1));
  ASSERT_TRUE(load({level(3)}));
  EXPECT_EQ(seen(), 0);
  const auto update = load({level(4), protocol::EndTransactionRecord{}, protocol::NoOpRecord{}});
  ASSERT_TRUE(update && *update);
  EXPECT_EQ(seen(), 4);
  EXPECT_TRUE((*update)->changes.features);
  EXPECT_EQ(loader_.image()->provenance.offset, Offset(6));
  EXPECT_FALSE(loader_.transaction_start());
}

TEST_F(LoaderTest, AnAbortedTransactionLeavesNothingButWhatCameBefore) {
  ASSERT_TRUE(load({level(1), protocol::BeginTransactionRecord{}, level(2)}));
  const auto update = load({protocol::AbortTransactionRecord{}});
  ASSERT_TRUE(update && *update);
  EXPECT_EQ(seen(), 1);
  EXPECT_EQ(loader_.image()->provenance.offset, Offset(3));
}

TEST_F(LoaderTest, TransactionsDoNotNestAndDoNotEndTwice) {
  EXPECT_FALSE(load({protocol::EndTransactionRecord{}}));
  loader_ = MetadataLoader();
  EXPECT_FALSE(load({protocol::BeginTransactionRecord{}, protocol::BeginTransactionRecord{}}));
}

TEST_F(LoaderTest, AMissingBatchIsNoticed) {
  ASSERT_TRUE(load({level(1)}));
  const MetadataRecord records[] = {{.body = level(2)}};
  const auto result = load_bytes(encode_metadata_batch(records, {.base_offset = 5, .epoch = 1}).value());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCorruptMessage);
  EXPECT_EQ(seen(), 1);
}

TEST_F(LoaderTest, AFailedBatchShowsNothing) {
  ASSERT_TRUE(load({level(1)}));
  const MetadataImagePtr before = loader_.image();
  EXPECT_FALSE(load({level(2), protocol::RemoveTopicRecord{.topic_id = Uuid::from_halves(1, 1)}}));
  EXPECT_EQ(loader_.image(), before);
}

TEST_F(LoaderTest, ReplayOfTheBytesIsReplayOfTheRecords) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    test_support::RandomLog log(seed);
    loader_ = MetadataLoader();
    for (int i = 0; i < 200; ++i) {
      const auto update = load_bytes(log.append_batch());
      ASSERT_TRUE(update) << update.error().why;
      ASSERT_EQ(update->has_value(), !log.in_transaction());
      ASSERT_EQ(*loader_.image(), log.image()) << "seed " << seed << " batch " << i;
    }
  }
}

}  // namespace
}  // namespace milena::controller
