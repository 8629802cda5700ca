// Crashes, failing appends, slow replication and time.
#include <gtest/gtest.h>

#include <utility>

#include "coordinator/transaction/testing/transaction_harness.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)

constexpr std::int64_t kDay = std::int64_t{24} * 60 * 60 * 1000;

struct RecoveryTest : testing::Test {
  TransactionHarness h;

  ProducerIdentity begin(std::string_view id, std::int32_t timeout_ms = 60'000) {
    const auto producer = h.producer(id, timeout_ms);
    EXPECT_EQ(h.add(id, producer, {"t-0", "t-1"}, 5), ErrorCode::kNone);
    return producer;
  }
};

TEST_F(RecoveryTest, T5MarkersAreNotWrittenBeforeTheirDecisionIsCommitted) {
  const auto producer = begin("x");
  h.log.commit_on_append(false);
  const auto token = h.send(h.end_request("x", producer, true), 5);
  EXPECT_TRUE(h.waits(token));
  EXPECT_TRUE(h.markers.empty());
  EXPECT_EQ(h.shard.awaited_commit(), h.log.end());
  h.commit();
  EXPECT_EQ(h.take<protocol::EndTxnResponse>(token)->error_code, ErrorCode::kNone);
  EXPECT_EQ(h.markers.size(), 1U);
}

TEST_F(RecoveryTest, T5MarkersOfATimeoutWaitForTheCommitToo) {
  begin("x", 1'000);
  h.log.commit_on_append(false);
  h.advance(60'000);
  ASSERT_EQ(h.state("x"), TransactionState::kPrepareAbort);
  EXPECT_TRUE(h.markers.empty());
  EXPECT_EQ(h.shard.awaited_commit(), h.log.end()) << "nobody else waits";
  h.commit();
  EXPECT_EQ(h.markers.size(), 1U);
}

TEST_F(RecoveryTest, T5DecisionThatWasNotReplicatedIsGoneWithItsMarkers) {
  const auto producer = begin("x");
  h.log.commit_on_append(false);
  const auto token = h.send(h.end_request("x", producer, true), 5);
  h.log.lose_uncommitted();
  h.load();
  EXPECT_EQ(h.take<protocol::EndTxnResponse>(token)->error_code, ErrorCode::kNotCoordinator);
  EXPECT_EQ(h.state("x"), TransactionState::kOngoing);
  EXPECT_TRUE(h.markers.empty());
}

TEST_F(RecoveryTest, T5NextCoordinatorWritesTheMarkersOfADecisionAndNeverAnother) {
  for (const bool commit : {true, false}) {
    const auto producer = begin("x");
    h.end("x", producer, commit);
    h.load();
    EXPECT_EQ(h.end("x", producer, !commit).error_code, ErrorCode::kConcurrentTransactions);
    EXPECT_EQ(h.init("x").error_code, ErrorCode::kConcurrentTransactions);
    h.advance(10 * kDay);  // no timeout and no expiry touches it
    ASSERT_EQ(h.markers.size(), 1U);
    const auto markers = h.write_markers();
    EXPECT_EQ(markers.commit, commit);
    EXPECT_EQ(markers.coordinator_epoch, h.coordinator_epoch);
    EXPECT_EQ(markers.partitions, (TopicPartitions{{"t", {0, 1}}}));
    EXPECT_EQ(markers.transaction_version, 2);
    EXPECT_EQ(h.state("x"), commit ? TransactionState::kCompleteCommit : TransactionState::kCompleteAbort);
  }
}

TEST_F(RecoveryTest, T5MarkersAreWrittenAlthoughAnotherTransactionCannotBeCompletedYet) {
  const auto writer = begin("x");
  h.end("x", writer, true);
  // A transaction without partitions is aborted, and the coordinator stops before it wrote that it is
  // complete.
  const auto idle = h.producer("idle");
  bool is_first = true;
  h.log.watch([&](const protocol::RecordBatchView&, bool) {
    if (std::exchange(is_first, false)) h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  });
  h.end("idle", idle, false);
  h.log.watch({});
  ASSERT_EQ(h.state("idle"), TransactionState::kPrepareAbort);
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  h.load();
  ASSERT_EQ(h.markers.size(), 1U);
  h.write_markers();
  EXPECT_EQ(h.state("x"), TransactionState::kCompleteCommit);
  h.advance(1'000);
  EXPECT_EQ(h.state("idle"), TransactionState::kCompleteAbort);
}

TEST_F(RecoveryTest, T5NextCoordinatorWaitsUntilTheDecisionItFoundIsCommitted) {
  const auto producer = begin("x");
  h.log.commit_on_append(false);
  h.send(h.end_request("x", producer, true), 5);
  h.load();
  EXPECT_TRUE(h.markers.empty());
  h.commit();
  EXPECT_EQ(h.markers.size(), 1U);
}

TEST_F(RecoveryTest, T4NewsOfMarkersOfAnEarlierCoordinatorIsIgnored) {
  const auto producer = begin("x");
  h.end("x", producer, true);
  const WriteMarkers stale = h.markers.front();
  h.load();
  h.report_written(stale);
  EXPECT_EQ(h.state("x"), TransactionState::kPrepareCommit);
  h.write_markers();
  EXPECT_EQ(h.state("x"), TransactionState::kCompleteCommit);
}

TEST_F(RecoveryTest, T5LateNewsOfMarkersDoesNotCompleteALaterTransaction) {
  for (const int version : {4, 5}) {  // under version 1 the epoch of the next transaction is the same
    SCOPED_TRACE(version);
    auto producer = begin("x");
    h.end("x", producer, true, version);
    const WriteMarkers first = h.write_markers();
    producer = h.transaction("x").producer;
    ASSERT_EQ(h.add("x", producer, {"t-0"}, 5), ErrorCode::kNone);
    h.report_written(first);
    EXPECT_EQ(h.state("x"), TransactionState::kOngoing);
    h.end("x", producer, false, version);
    h.report_written(first);
    EXPECT_EQ(h.state("x"), TransactionState::kPrepareAbort);
    h.write_markers();
    EXPECT_EQ(h.state("x"), TransactionState::kCompleteAbort);
  }
}

TEST_F(RecoveryTest, FailedAppendChangesNothingAndTheClientMayTryAgain) {
  const auto producer = begin("x");
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  EXPECT_EQ(h.end("x", producer, true).error_code, ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(h.state("x"), TransactionState::kOngoing);
  EXPECT_TRUE(h.markers.empty());
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  EXPECT_EQ(h.add("x", producer, {"t-5"}), ErrorCode::kCoordinatorNotAvailable);
  h.log.fail_next(ErrorCode::kNotLeaderOrFollower);
  EXPECT_EQ(h.init("y").error_code, ErrorCode::kNotCoordinator);
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  EXPECT_EQ(h.init("x").error_code, ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(h.transaction("x").producer, producer) << "nobody was fenced";
  EXPECT_EQ(h.end("x", producer, true).error_code, ErrorCode::kNone);
}

TEST_F(RecoveryTest, CompleteThatCouldNotBeAppendedIsTriedAgain) {
  const auto producer = begin("x");
  h.end("x", producer, true);
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  h.write_markers();
  EXPECT_EQ(h.state("x"), TransactionState::kPrepareCommit);
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  h.advance(100);
  EXPECT_EQ(h.state("x"), TransactionState::kPrepareCommit);
  h.advance(100);
  EXPECT_EQ(h.state("x"), TransactionState::kCompleteCommit);
  const auto batches = h.log.batch_count();
  h.advance(10'000);
  EXPECT_EQ(h.log.batch_count(), batches);
}

TEST_F(RecoveryTest, T7OpenTransactionIsAbortedWithinItsTimeoutAndTheCleanupInterval) {
  for (const std::int16_t version : std::initializer_list<std::int16_t>{1, 2}) {
    h.configure([&](TransactionConfig& c) { c.transaction_version = version; });
    const auto producer = begin("x", 30'000);
    h.advance(30'000);
    EXPECT_EQ(h.state("x"), TransactionState::kOngoing);
    h.advance(10'000);
    EXPECT_EQ(h.state("x"), TransactionState::kPrepareAbort);
    EXPECT_EQ(h.transaction("x").producer.epoch, producer.epoch + 1);
    EXPECT_EQ(h.end("x", producer, true, 4).error_code, ErrorCode::kProducerFenced) << "the zombie";
    EXPECT_FALSE(h.write_markers().commit);
    EXPECT_EQ(h.end("x", producer, true, 4).error_code, ErrorCode::kProducerFenced);
    EXPECT_EQ(h.add("x", producer, {"t-0"}), ErrorCode::kProducerFenced);
  }
}

TEST_F(RecoveryTest, T7ProducerOfVersion2GoesOnAfterItsTimeout) {
  const auto producer = begin("x", 1'000);
  h.advance(20'000);
  h.write_markers();
  const auto response = h.init("x", producer);
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  EXPECT_EQ(response.producer_epoch, producer.epoch + 1);
}

TEST_F(RecoveryTest, T7TimeoutsRunOnAfterARestartAndManyAtOnce) {
  for (const std::string id : {"a", "b", "c", "d"}) begin(id, id == "c" ? 600'000 : 5'000);
  h.load();
  h.advance(20'000);
  EXPECT_EQ(h.markers.size(), 3U);
  EXPECT_EQ(h.state("c"), TransactionState::kOngoing);
  h.advance(600'000);
  EXPECT_EQ(h.state("c"), TransactionState::kPrepareAbort);
}

TEST_F(RecoveryTest, T7AJumpOfTheWallClockAbortsNothingEarlyAndDelaysNothing) {
  for (const std::int64_t jump_ms :
       std::initializer_list<std::int64_t>{3'600'000LL, -3'600'000LL, 3'650 * kDay, -3'650 * kDay}) {
    SCOPED_TRACE(jump_ms);
    begin("x", 60'000);
    h.now.wall_ms += jump_ms;
    h.advance(59'000);
    EXPECT_EQ(h.state("x"), TransactionState::kOngoing);
    h.now.wall_ms += jump_ms;
    h.advance(11'000);
    EXPECT_EQ(h.state("x"), TransactionState::kPrepareAbort);
    h.write_markers();
  }
}

TEST_F(RecoveryTest, T7AJumpAcrossARestartAbortsNothingEarly) {
  for (const std::int64_t jump_ms :
       std::initializer_list<std::int64_t>{3'600'000LL, -3'600'000LL, 3'650 * kDay, -3'650 * kDay}) {
    SCOPED_TRACE(jump_ms);
    begin("x", 60'000);
    h.now.wall_ms += jump_ms;
    h.load();
    h.advance(59'000);
    EXPECT_EQ(h.state("x"), TransactionState::kOngoing) << "it has its whole timeout again";
    h.advance(11'000);
    EXPECT_EQ(h.state("x"), TransactionState::kPrepareAbort);
    h.write_markers();
  }
}

TEST_F(RecoveryTest, T11NothingExpiresByATimeThatIsDoubted) {
  const auto producer = begin("x");
  h.end("x", producer, true);
  h.write_markers();
  h.now.wall_ms += 3'650 * kDay;
  h.now.doubted_ms = 3'650 * kDay;
  h.advance(2 * 3'600'000);
  EXPECT_NE(h.find("x"), nullptr);
  h.now.wall_ms -= 2 * 3'650 * kDay;
  h.now.doubted_ms = 0;
  h.advance(2 * 3'600'000);
  EXPECT_NE(h.find("x"), nullptr) << "back in time";
  h.now.wall_ms += 2 * 3'650 * kDay;
  h.advance(2 * 3'600'000);
  EXPECT_EQ(h.find("x"), nullptr);
}

TEST_F(RecoveryTest, T7TimeoutThatCouldNotBeAppendedIsTriedAgain) {
  begin("x", 1'000);
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  h.advance(10'000);
  EXPECT_EQ(h.state("x"), TransactionState::kOngoing);
  h.advance(10'000);
  EXPECT_EQ(h.state("x"), TransactionState::kPrepareAbort);
}

TEST_F(RecoveryTest, T7TimeoutOfAnExhaustedEpochAsksForAProducerIdUntilThereIsOne) {
  Transaction planted;
  planted.state = TransactionState::kOngoing;
  planted.producer = {7, 32766};
  planted.timeout_ms = 1'000;
  planted.start_ms = planted.last_update_ms = h.now.wall_ms;
  insert_partition(planted.partitions, "t", 0);
  h.plant("x", planted);
  h.gives_ids = false;
  h.advance(60'000);
  ASSERT_EQ(h.id_tickets.size(), 1U);
  EXPECT_EQ(h.state("x"), TransactionState::kOngoing);
  h.load();  // nobody waits for an answer
  h.advance(10'000);
  ASSERT_EQ(h.id_tickets.size(), 1U);
  h.give_id(h.id_tickets[0], std::nullopt);
  h.advance(10'000);
  ASSERT_EQ(h.id_tickets.size(), 2U);
  h.give_id(h.id_tickets[1], 50);
  h.write_markers();
  EXPECT_EQ(h.transaction("x").producer, (ProducerIdentity{50, 0}));
}

TEST_F(RecoveryTest, NobodyLooksForTimeoutsWhileNothingIsOpen) {
  const Instant expiry = *h.shard.next_deadline();
  const auto producer = begin("x");
  EXPECT_LT(*h.shard.next_deadline(), expiry);
  h.end("x", producer, true);
  h.write_markers();
  h.advance(20'000);
  EXPECT_EQ(*h.shard.next_deadline(), expiry);
}

TEST_F(RecoveryTest, T11IdsExpireAfterSevenDaysUnlessATransactionIsOpen) {
  h.producer("empty");
  const auto ended = begin("ended");
  h.end("ended", ended, true);
  h.write_markers();
  const auto preparing = begin("preparing");
  h.end("preparing", preparing, true);
  auto request = h.init_request("open");
  h.configure([](TransactionConfig& c) { c.two_phase_commit_enable = true; });
  request.enable2_pc = true;
  const auto open = h.ask<protocol::InitProducerIdResponse>(request, 6);
  ASSERT_EQ(h.add("open", {open.producer_id, open.producer_epoch}, {"t-0"}), ErrorCode::kNone);
  h.advance(6 * kDay);
  EXPECT_NE(h.find("empty"), nullptr);
  h.advance(kDay + 3'600'000);
  EXPECT_EQ(h.find("empty"), nullptr);
  EXPECT_EQ(h.find("ended"), nullptr);
  EXPECT_EQ(h.state("preparing"), TransactionState::kPrepareCommit);
  EXPECT_EQ(h.state("open"), TransactionState::kOngoing);
  h.load();
  EXPECT_EQ(h.machine().transactions().size(), 2U);
  EXPECT_EQ(h.end("ended", ended, true).error_code, ErrorCode::kInvalidProducerIdMapping);
}

TEST_F(RecoveryTest, T3WhatWasToldIsKnownToTheNextCoordinator) {
  const auto first = h.producer("x");
  const auto second = begin("x");
  const auto expected = h.transaction("x");
  h.load();
  EXPECT_EQ(h.transaction("x"), expected);
  EXPECT_EQ(h.add("x", first, {"t-0"}), ErrorCode::kProducerFenced);
  EXPECT_EQ(h.verify("x", second, "t-1"), ErrorCode::kNone);
  h.load(h.log.compacted(true));
  EXPECT_EQ(h.transaction("x"), expected);
}

}  // namespace
}  // namespace milena::coordinator
