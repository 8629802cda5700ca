#include "broker/fetch/fetch_set.h"

#include <gtest/gtest.h>

#include <vector>

#include "broker/partition/testing/test_partition.h"
#include "protocol/error_code.h"
#include "protocol/record_batch.h"

namespace milena::broker {
namespace {

class Sleeper final : public Wakeable {
 public:
  void woken() override { ++times; }
  int times = 0;
};

class FetchSetTest : public testing::Test {
 protected:
  void ask(FetchSet& set, int partition, std::int64_t offset, std::int32_t max_bytes = 1 << 20) {
    set.put(topic_, partition, {.fetch_offset = offset, .max_bytes = max_bytes});
  }
  void append(int partition, int records, std::size_t value_bytes = 10) {
    EXPECT_TRUE(partitions_.append(partition, records, value_bytes));
  }
  static std::vector<int> answered(FetchSet& set, bool incremental) {
    std::vector<int> out;
    set.answer(incremental, [&](const FetchEntry& entry) { out.push_back(entry.partition().value); });
    return out;
  }

  TestPartitions partitions_{4};
  const FetchTopic topic_{partitions_.topic_id(), ""};
  std::shared_ptr<Sleeper> sleeper_ = std::make_shared<Sleeper>();
  const FetchLimits limits_{.max_bytes = 1 << 20};
};

TEST_F(FetchSetTest, AFullAnswerListsEveryPartitionInTheOrderAsked) {
  FetchSet set(partitions_, true);
  for (int p : {2, 0, 3}) ask(set, p, 0);
  append(0, 5);
  EXPECT_GT(set.evaluate(limits_).bytes, 0u);
  EXPECT_EQ(answered(set, false), (std::vector{2, 0, 3}));
}

TEST_F(FetchSetTest, AnIncrementalAnswerListsOnlyWhatIsNew) {
  FetchSet set(partitions_, true);
  for (int p : {0, 1, 2}) ask(set, p, 0);
  set.evaluate(limits_);
  answered(set, false);
  ASSERT_TRUE(set.watch_all());
  set.evaluate(limits_);
  EXPECT_EQ(answered(set, true), std::vector<int>{});
  append(1, 3);
  EXPECT_GT(set.evaluate(limits_).bytes, 0u);
  EXPECT_EQ(answered(set, true), std::vector{1});
}

TEST_F(FetchSetTest, WhatDidNotFitIsAnsweredNextTimeWithoutANewAppend) {
  for (int p : {0, 1, 2}) append(p, 1, 1000);
  FetchSet set(partitions_, true);
  for (int p : {0, 1, 2}) ask(set, p, 0);
  const FetchLimits tight{.max_bytes = 1100};
  set.evaluate(tight);
  answered(set, false);
  set.watch_all();
  ask(set, 0, 1);  // the client has read partition 0
  set.evaluate(tight);
  EXPECT_EQ(answered(set, true), std::vector{1});
  ask(set, 1, 1);
  set.evaluate(tight);
  EXPECT_EQ(answered(set, true), std::vector{2});
}

TEST_F(FetchSetTest, ThePartitionThatWasServedStandsBehindTheOthers) {
  for (int p : {0, 1}) append(p, 4, 1000);
  FetchSet set(partitions_, true);
  for (int p : {0, 1}) ask(set, p, 0);
  const FetchLimits tight{.max_bytes = 1100};
  std::vector<int> order;
  set.evaluate(tight);
  answered(set, false);
  set.watch_all();
  for (int round = 0; round < 4; ++round) {
    set.evaluate(tight);
    for (int p : answered(set, true)) order.push_back(p);
  }
  EXPECT_EQ(order, (std::vector{1, 0, 1, 0}));
}

TEST_F(FetchSetTest, TheSleeperIsWokenOnceWhenEnoughBytesHaveCome) {
  FetchSet set(partitions_, true);
  for (int p : {0, 1}) ask(set, p, 0);
  ASSERT_EQ(set.evaluate(limits_).bytes, 0u);
  ASSERT_TRUE(set.arm(1500, sleeper_));
  append(0, 1, 1000);
  EXPECT_EQ(sleeper_->times, 0);
  append(1, 1, 1000);
  EXPECT_EQ(sleeper_->times, 1);
  append(1, 1, 1000);
  EXPECT_EQ(sleeper_->times, 1);
  EXPECT_FALSE(set.disarm());
  EXPECT_GT(set.evaluate(limits_).bytes, 3000u);
}

TEST_F(FetchSetTest, AnAppendBetweenTheReadAndTheWatchIsNotMissed) {
  FetchSet set(partitions_, true);
  ask(set, 0, 0);
  ASSERT_EQ(set.evaluate(limits_).bytes, 0u);
  append(0, 1);
  EXPECT_FALSE(set.arm(1, sleeper_));
  EXPECT_GT(set.evaluate(limits_).bytes, 0u);
}

TEST_F(FetchSetTest, AnAppendBetweenTheReadAndArmingAWatchedSetIsNotMissed) {
  FetchSet set(partitions_, true);
  ask(set, 0, 0);
  set.evaluate(limits_);
  set.watch_all();
  set.evaluate(limits_);
  append(0, 1);
  EXPECT_FALSE(set.arm(1, sleeper_));
  EXPECT_EQ(sleeper_->times, 0);
}

TEST_F(FetchSetTest, AClosedPartitionWakesTheSleeperAndIsAnError) {
  FetchSet set(partitions_, true);
  ask(set, 0, 0);
  set.evaluate(limits_);
  ASSERT_TRUE(set.arm(1, sleeper_));
  partitions_.remove_topic();
  EXPECT_EQ(sleeper_->times, 1);
  EXPECT_TRUE(set.evaluate(limits_).answer_now);
  const auto expect = [&](ErrorCode error) {
    set.answer(false, [&](const FetchEntry& entry) { EXPECT_EQ(entry.error(), error); });
  };
  expect(ErrorCode::kUnknownTopicOrPartition);
  EXPECT_TRUE(set.evaluate(limits_).answer_now);
  expect(ErrorCode::kUnknownTopicOrPartition);
  partitions_.create_topic_anew();
  EXPECT_TRUE(set.evaluate(limits_).answer_now);
  expect(ErrorCode::kInconsistentTopicId);
}

TEST_F(FetchSetTest, ANewTopicOfTheSameNameIsReadByWhoNamesIt) {
  FetchSet set(partitions_, false);
  set.put({Uuid(), partitions_.topic_name()}, 0, {.fetch_offset = 0, .max_bytes = 1 << 20});
  set.evaluate(limits_);
  answered(set, false);
  ASSERT_TRUE(set.watch_all());
  partitions_.remove_topic();
  EXPECT_TRUE(set.evaluate(limits_).answer_now);
  set.answer(false,
             [](const FetchEntry& entry) { EXPECT_EQ(entry.error(), ErrorCode::kUnknownTopicOrPartition); });
  partitions_.create_topic_anew();
  append(0, 1);
  EXPECT_GT(set.evaluate(limits_).bytes, 0u);
}

TEST_F(FetchSetTest, AnIdThatWasNeverKnownStaysUnknown) {
  partitions_.remove_topic();
  FetchSet set(partitions_, true);
  ask(set, 0, 0);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(set.evaluate(limits_).answer_now);
    set.answer(false, [](const FetchEntry& entry) { EXPECT_EQ(entry.error(), ErrorCode::kUnknownTopicId); });
    partitions_.create_topic_anew();
  }
}

TEST_F(FetchSetTest, UnknownTopicsAndPartitionsHaveErrorsOfTheirOwn) {
  FetchSet set(partitions_, true);
  ask(set, 99, 0);
  set.put({Uuid::from_halves(9, 9), ""}, 0, {});
  EXPECT_TRUE(set.evaluate(limits_).answer_now);
  std::vector<ErrorCode> errors;
  set.answer(false, [&](const FetchEntry& entry) { errors.push_back(entry.error()); });
  EXPECT_EQ(errors, (std::vector{ErrorCode::kUnknownTopicOrPartition, ErrorCode::kUnknownTopicId}));
}

TEST_F(FetchSetTest, AForgottenPartitionIsNeitherAnsweredNorWatched) {
  FetchSet set(partitions_, true);
  for (int p : {0, 1}) ask(set, p, 0);
  set.evaluate(limits_);
  answered(set, false);
  set.watch_all();
  append(0, 1);
  set.forget(topic_, 0);
  EXPECT_EQ(set.size(), 1u);
  EXPECT_EQ(set.evaluate(limits_).bytes, 0u);
  append(0, 1);
  EXPECT_EQ(answered(set, true), std::vector<int>{});
}

TEST_F(FetchSetTest, ASetThatIsUsedAgainKnowsNothingOfItsFormerPartitions) {
  FetchSet set(partitions_, true);
  for (int p : {0, 1, 2}) ask(set, p, 0);
  set.evaluate(limits_);
  ASSERT_TRUE(set.watch_all());
  append(0, 1);
  set.reset(false);
  EXPECT_EQ(set.size(), 0u);
  append(1, 1);  // nobody hears of it
  set.put({Uuid(), partitions_.topic_name()}, 3, {.fetch_offset = 0, .max_bytes = 1 << 20});
  EXPECT_EQ(set.evaluate(limits_).bytes, 0u);
  ASSERT_TRUE(set.arm(1, sleeper_));
  append(0, 1);
  EXPECT_EQ(sleeper_->times, 0);
  append(3, 1);
  EXPECT_EQ(sleeper_->times, 1);
  EXPECT_GT(set.evaluate(limits_).bytes, 0u);
  EXPECT_EQ(answered(set, false), std::vector{3});
}

TEST_F(FetchSetTest, AnOffsetOutOfRangeIsToldAgainAndAgain) {
  FetchSet set(partitions_, true);
  ask(set, 0, 77);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(set.evaluate(limits_).answer_now);
    EXPECT_EQ(answered(set, round > 0), std::vector{0});
    set.watch_all();
  }
}

TEST(FetchSetLimits, AnAnswerHasMorePartitionsThanFilesMayBeOpen) {
  TestPartitions partitions(50, Durability::kPageCache, 8);
  for (int p = 0; p < 50; ++p) ASSERT_TRUE(partitions.append(p, 1, p % 2 == 0 ? 100 : 100'000));
  FetchSet set(partitions, true);
  for (int p = 0; p < 50; ++p)
    set.put({partitions.topic_id(), ""}, p, {.fetch_offset = 0, .max_bytes = 1 << 20});
  set.evaluate({.max_bytes = 50 << 20});
  int answered = 0;
  set.answer(false, [&](const FetchEntry& entry) {
    ASSERT_EQ(entry.error(), ErrorCode::kNone);
    const auto& records = entry.answer().records;
    ASSERT_GT(records.size, entry.partition().value % 2 == 0 ? 100u : 100'000u) << "the first batch is whole";
    std::vector<std::byte> bytes(records.size);
    ASSERT_EQ(*records.file->read_at(records.position, bytes), records.size);
    const auto batch = protocol::RecordBatchView::parse(bytes);
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->crc_matches());
    ++answered;
  });
  EXPECT_EQ(answered, 50);
  EXPECT_LE(partitions.files().most_open_files(), 9u);
}

TEST(FetchSetLimits, ACopyEndsAfter64KiB) {
  TestPartitions partitions(2, Durability::kPageCache, 1);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(partitions.append(1, 1, 1000));
  ASSERT_TRUE(partitions.append(0, 1));
  FetchSet set(partitions, true);
  for (int p : {0, 1}) set.put({partitions.topic_id(), ""}, p, {.fetch_offset = 0, .max_bytes = 1 << 20});
  set.evaluate({.max_bytes = 1 << 20});
  set.answer(false, [&](const FetchEntry& entry) {
    if (entry.partition() == 1) EXPECT_EQ(entry.answer().records.size, 64u << 10);
  });
}

}  // namespace
}  // namespace milena::broker
