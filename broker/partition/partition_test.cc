#include "broker/partition/partition.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "broker/partition/testing/test_partition.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

class CountingWatch final : public PartitionWatch {
 public:
  void changed(const PartitionChange& change, WakeList&) override {
    ++changes;
    last = change;
  }
  int changes = 0;
  PartitionChange last;
};

TEST(Partition, InPageCacheModeAnAppendIsCommittedAtOnce) {
  TestPartitions partitions(1);
  const auto appended = partitions.append(0, 3);
  ASSERT_TRUE(appended);
  EXPECT_TRUE(appended->committed);
  EXPECT_EQ(partitions.at(0).offsets(-1)->high_watermark, 3);
}

TEST(Partition, InFsyncModeNothingIsReadableBeforeTheFlush) {
  TestPartitions partitions(1, Durability::kFsync);
  const auto appended = partitions.append(0, 3);
  ASSERT_TRUE(appended);
  EXPECT_FALSE(appended->committed);
  EXPECT_EQ(partitions.at(0).offsets(-1)->high_watermark, 0);
  EXPECT_EQ(
      partitions.at(0).fetch({.fetch_offset = 0, .max_bytes = 1000, .min_one_message = true})->records.size,
      0u);
  partitions.run_flushes();
  EXPECT_EQ(partitions.at(0).offsets(-1)->high_watermark, 3);
}

TEST(Partition, OneFlushCommitsEveryAppendBeforeIt) {
  TestPartitions partitions(1, Durability::kFsync);
  CountingWatch watch;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(partitions.append(0, 1));
  ASSERT_TRUE(partitions.at(0).attach(watch));
  partitions.run_flushes();
  EXPECT_EQ(watch.changes, 1);
  EXPECT_EQ(watch.last.high_watermark, 5);
  EXPECT_GT(watch.last.readable_bytes, 5u * 61);
  partitions.at(0).detach(watch);
}

TEST(Partition, R9_AFlushThatFailsOnAFullDiskIsDueAgain) {
  TestPartitions partitions(1, Durability::kFsync);
  auto& partition = partitions.at(0);
  CountingWatch watch;
  ASSERT_TRUE(partition.attach(watch));
  ASSERT_TRUE(partitions.append(0, 3));
  // The first flush also writes the file of leader epochs.
  partitions.disk().fail({.call = "open", .code = ENOSPC, .for_good = true});
  EXPECT_EQ(partition.flush().error().code, ErrorCode::kKafkaStorageError);
  EXPECT_EQ(partition.offsets(-1)->high_watermark, 0);
  EXPECT_TRUE(partitions.expects_overdue_flush());
  EXPECT_TRUE(partition.flush_overdue(Instant{0}));
  partitions.disk().clear_faults();
  ASSERT_TRUE(partition.flush());
  EXPECT_EQ(partition.offsets(-1)->high_watermark, 3);
  EXPECT_GT(watch.last.readable_bytes, 61u);
  EXPECT_FALSE(partition.flush_overdue(Instant{0}));
  partition.detach(watch);
}

TEST(Partition, OnlyRecordsThatFlushMsLimitsAreExpectedToBecomeOverdue) {
  TestPartitions partitions(1);
  auto& partition = partitions.at(0);
  ASSERT_TRUE(partitions.append(0, 1));
  EXPECT_FALSE(partition.flush_overdue(Instant{0}));
  EXPECT_FALSE(partitions.expects_overdue_flush());

  auto settings = *partition.settings();
  auto log = *settings.log;
  log.flush_ms = 1000;
  settings.log = std::make_shared<const storage::LogConfig>(log);
  partition.set_settings(std::make_shared<const TopicSettings>(settings));
  EXPECT_TRUE(partitions.expects_overdue_flush());
  EXPECT_FALSE(partition.flush_overdue(Instant{999}));
  EXPECT_TRUE(partition.flush_overdue(Instant{1000}));
  ASSERT_TRUE(partition.flush());
  EXPECT_FALSE(partition.flush_overdue(Instant{9000}));
}

TEST(Partition, LeaderEpochsFenceOldAndRefuseUnknownOnes) {
  TestPartitions partitions(1);
  auto& partition = partitions.at(0);
  partition.become_leader(5);
  partition.become_leader(3);  // old news
  EXPECT_EQ(partition.leader_epoch(), 5);
  EXPECT_EQ(partition.offsets(4).error().code, ErrorCode::kFencedLeaderEpoch);
  EXPECT_EQ(partition.offsets(6).error().code, ErrorCode::kUnknownLeaderEpoch);
  EXPECT_TRUE(partition.offsets(5));
  EXPECT_TRUE(partition.offsets(-1));
}

TEST(Partition, AFetchThatDivergesFromTheEpochsOfTheLogIsTold) {
  TestPartitions partitions(1);
  auto& partition = partitions.at(0);
  ASSERT_TRUE(partitions.append(0, 2));
  partition.become_leader(4);
  ASSERT_TRUE(partitions.append(0, 2));
  const auto agreed = partition.fetch({.fetch_offset = 2, .last_fetched_epoch = 0, .max_bytes = 1000});
  ASSERT_TRUE(agreed);
  EXPECT_FALSE(agreed->diverging_epoch);
  const auto diverged = partition.fetch({.fetch_offset = 3, .last_fetched_epoch = 0, .max_bytes = 1000});
  ASSERT_TRUE(diverged);
  ASSERT_TRUE(diverged->diverging_epoch);
  EXPECT_EQ(diverged->diverging_epoch->end_offset, 2);
  EXPECT_EQ(diverged->records.size, 0u);
}

TEST(Partition, DeletedRecordsStayDeletedAndNothingBeyondTheHighWatermarkIs) {
  TestPartitions partitions(1);
  ASSERT_TRUE(partitions.append(0, 10));
  auto& partition = partitions.at(0);
  EXPECT_EQ(partition.delete_records(4), Offset(4));
  EXPECT_EQ(partition.delete_records(2), Offset(4));  // never goes back
  EXPECT_EQ(partition.delete_records(11).error().code, ErrorCode::kOffsetOutOfRange);
  EXPECT_EQ(partition.delete_records(-2).error().code, ErrorCode::kOffsetOutOfRange);
  EXPECT_EQ(partition.fetch({.fetch_offset = 3, .max_bytes = 1000}).error().code,
            ErrorCode::kOffsetOutOfRange);
  EXPECT_EQ(partition.delete_records(-1), Offset(10));
}

TEST(Partition, AClosedPartitionRefusesEverythingAndTellsItsWatches) {
  TestPartitions partitions(1);
  auto& partition = partitions.at(0);
  CountingWatch watch;
  ASSERT_TRUE(partition.attach(watch));
  EXPECT_NE(partition.close(), nullptr);
  EXPECT_TRUE(watch.last.closed);
  EXPECT_EQ(partition.close(), nullptr);
  EXPECT_EQ(partitions.append(0, 1).error().code, ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(partition.fetch({.fetch_offset = 0}).error().code, ErrorCode::kUnknownTopicOrPartition);
  EXPECT_TRUE(partition.flush());
  CountingWatch late;
  EXPECT_FALSE(partition.attach(late));
  partition.detach(watch);
}

TEST(Partition, AttachRefusesWhenMoreIsReadableThanTheCallerSaw) {
  TestPartitions partitions(1);
  ASSERT_TRUE(partitions.append(0, 1));
  CountingWatch watch;
  EXPECT_FALSE(partitions.at(0).attach(watch, 0));
  EXPECT_TRUE(partitions.at(0).attach(watch, 1));
  partitions.at(0).detach(watch);
}

TEST(Partition, FewerFilesThanPartitionsServeThemAll) {
  for (const Durability durability : {Durability::kPageCache, Durability::kFsync}) {
    TestPartitions partitions(50, durability, 8);
    for (int round = 0; round < 3; ++round) {
      for (int p = 0; p < 50; ++p) ASSERT_TRUE(partitions.append(p, 1)) << p;
      EXPECT_LE(partitions.files().most_open_files(), 8u);
      partitions.run_flushes();
    }
    for (int p = 0; p < 50; ++p) {
      const auto answer = partitions.at(p).fetch({.fetch_offset = 0, .max_bytes = 1 << 20});
      ASSERT_TRUE(answer) << p;
      EXPECT_EQ(answer->high_watermark, 3);
      EXPECT_GT(answer->records.size, 0u);
    }
    EXPECT_LE(partitions.files().most_open_files(), 8u);
    EXPECT_GT(partitions.files().closed_early(), 100u);
  }
}

TEST(Partition, InFsyncModeWhatWasClosedBeforeItsFlushSurvivesAPowerCut) {
  TestPartitions partitions(50, Durability::kFsync, 8);
  for (int p = 0; p < 50; ++p) ASSERT_TRUE(partitions.append(p, 1));
  partitions.run_flushes();
  partitions.disk().crash(MemFs::Loss::kUnsynced);
  for (int p = 0; p < 50; ++p) {
    const auto log =
        read_file(partitions.disk(), "/data-0/letters-" + std::to_string(p) + "/00000000000000000000.log");
    ASSERT_TRUE(log) << p;
    EXPECT_GT(log->size(), 60u) << p;
  }
}

}  // namespace
}  // namespace milena::broker
