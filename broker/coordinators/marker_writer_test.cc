#include "broker/coordinators/marker_writer.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/rng.h"
#include "broker/partition/testing/test_partition.h"
#include "protocol/record_batch_builder.h"

namespace milena::broker {
namespace {

class MarkerWriterTest : public ::testing::Test {
 protected:
  explicit MarkerWriterTest(Durability durability = Durability::kPageCache) : partitions(1, durability) {}

  void write(bool commit, std::int16_t epoch = 0, int partition = 0) {
    answer.reset();
    writer.write({.producer_id = 7, .producer_epoch = epoch, .coordinator_epoch = 3, .commit = commit},
                 "letters", partition, [this](ErrorCode error) { answer = error; });
  }
  void begin_transaction(std::int16_t epoch = 0) {
    protocol::RecordBatchBuilder builder(
        {.producer_id = 7, .producer_epoch = epoch, .base_sequence = 0, .transactional = true});
    builder.append(clock.wall_ms(), std::nullopt, as_bytes("Dear Milena"));
    auto batch = builder.build();
    ASSERT_TRUE(partitions.at(0).append(batch, {.now_ms = clock.wall_ms()}));
  }
  Offset last_stable() { return partitions.at(0).offsets(protocol::kNoLeaderEpoch)->last_stable; }

  ManualClock clock;
  Logger log{LogLevel::kError};
  Loop loop{clock, "test"};
  SeededRng rng{1};
  TestPartitions partitions;
  GroupCoordinator groups{
      {.self = 1, .partitions = partitions, .loops = {&loop}, .runner = {}, .clock = clock, .log = log},
      rng,
      std::make_shared<coordinator::GroupConfig>(),
      {},
      1};
  MarkerWriter writer{partitions, groups, loop, clock};
  std::optional<ErrorCode> answer;
};

class FsyncMarkerWriterTest : public MarkerWriterTest {
 protected:
  FsyncMarkerWriterTest() : MarkerWriterTest(Durability::kFsync) {}
};

TEST_F(MarkerWriterTest, AMarkerEndsTheTransactionOfItsProducer) {
  begin_transaction();
  EXPECT_EQ(last_stable(), 0);
  write(true);
  EXPECT_EQ(answer, ErrorCode::kNone);
  EXPECT_EQ(last_stable(), 2);
}

TEST_F(MarkerWriterTest, APartitionThatIsNotHereIsUnknown) {
  write(true, 0, 5);
  EXPECT_EQ(answer, ErrorCode::kUnknownTopicOrPartition);
}

TEST_F(MarkerWriterTest, AMarkerOfAnOlderEpochIsRefused) {
  begin_transaction(4);
  write(false, 3);
  EXPECT_EQ(answer, ErrorCode::kInvalidProducerEpoch);
  EXPECT_EQ(last_stable(), 0);
}

TEST_F(FsyncMarkerWriterTest, ItIsDoneWhenTheMarkerIsOnStableStorage) {
  begin_transaction();
  write(true);
  EXPECT_EQ(answer, std::nullopt);
  partitions.run_flushes();
  EXPECT_EQ(answer, std::nullopt) << "on the thread that flushed";
  loop.post([this] { loop.stop(); });
  loop.run();
  EXPECT_EQ(answer, ErrorCode::kNone);
}

TEST_F(FsyncMarkerWriterTest, APartitionThatGoesAwayMeanwhileIsNotLedAnyMore) {
  begin_transaction();
  write(true);
  partitions.remove_topic();
  loop.post([this] { loop.stop(); });
  loop.run();
  EXPECT_EQ(answer, ErrorCode::kNotLeaderOrFollower);
}

}  // namespace
}  // namespace milena::broker
