#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "coordinator/transaction/testing/transaction_harness.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)

struct EndTxnTest : testing::Test {
  TransactionHarness h;

  static ProducerIdentity next(ProducerIdentity producer) {
    return {producer.id, static_cast<std::int16_t>(producer.epoch + 1)};
  }
  static ProducerIdentity of(const protocol::EndTxnResponse& response) {
    return {response.producer_id, response.producer_epoch};
  }
};

TEST_F(EndTxnTest, T5CompleteFollowsOnlyWhenTheMarkersAreWritten) {
  for (const bool commit : {true, false}) {
    const auto producer = h.producer("x");
    ASSERT_EQ(h.add("x", producer, {"t-0", "t-1"}), ErrorCode::kNone);
    ASSERT_EQ(h.add("x", producer, {"u-7"}), ErrorCode::kNone);
    EXPECT_EQ(h.end("x", producer, commit, 4).error_code, ErrorCode::kNone);
    EXPECT_EQ(h.state("x"), commit ? TransactionState::kPrepareCommit : TransactionState::kPrepareAbort);
    ASSERT_EQ(h.markers.size(), 1U);
    const auto markers = h.write_markers();
    EXPECT_EQ(markers.commit, commit);
    EXPECT_EQ(markers.producer, producer);
    EXPECT_EQ(markers.coordinator_epoch, h.coordinator_epoch);
    EXPECT_EQ(markers.transaction_version, 0);
    EXPECT_EQ(markers.partitions, (TopicPartitions{{"t", {0, 1}}, {"u", {7}}}));
    EXPECT_EQ(h.state("x"), commit ? TransactionState::kCompleteCommit : TransactionState::kCompleteAbort);
    EXPECT_TRUE(h.transaction("x").partitions.empty());
  }
}

TEST_F(EndTxnTest, OpenCommittedAndAbortedTransactionsAreCounted) {
  using Counts = std::array<std::uint64_t, 3>;
  const auto counts = [&] {
    const auto& machine = *h.shard.machine();
    return Counts{machine.open(), machine.committed(), machine.aborted()};
  };
  const auto producer = h.producer("x");
  EXPECT_EQ(counts(), (Counts{0, 0, 0}));
  for (const bool commit : {true, false}) {
    ASSERT_EQ(h.add("x", producer, {"t-0"}), ErrorCode::kNone);
    EXPECT_EQ(counts()[0], 1u);
    EXPECT_EQ(h.end("x", producer, commit, 4).error_code, ErrorCode::kNone);
    EXPECT_EQ(counts()[0], 1u) << "its markers are missing";
    h.write_markers();
  }
  EXPECT_EQ(counts(), (Counts{0, 1, 1}));
  ASSERT_EQ(h.add("x", producer, {"t-0"}), ErrorCode::kNone);
  h.load();
  EXPECT_EQ(counts(), (Counts{1, 0, 0})) << "ended ones are counted since the log was loaded";
}

TEST_F(EndTxnTest, T6Version2BumpsTheEpochAndSaysSo) {
  const auto producer = h.producer("x");
  ASSERT_EQ(h.add("x", producer, {"t-0"}, 5), ErrorCode::kNone);
  const auto response = h.end("x", producer, true);
  EXPECT_EQ(of(response), next(producer));
  const auto markers = h.write_markers();
  EXPECT_EQ(markers.producer, next(producer)) << "above the epoch of the data";
  EXPECT_EQ(markers.transaction_version, 2);
  EXPECT_EQ(h.add("x", next(producer), {"t-0"}, 5), ErrorCode::kNone);
}

TEST_F(EndTxnTest, T6Version1KeepsTheEpochAndTellsNoProducer) {
  const auto producer = h.producer("x");
  ASSERT_EQ(h.add("x", producer, {"t-0"}), ErrorCode::kNone);
  EXPECT_EQ(of(h.end("x", producer, true, 4)), ProducerIdentity{});
  h.write_markers();
  EXPECT_EQ(h.transaction("x").producer, producer);
}

TEST_F(EndTxnTest, T6RetryOfTheSameEndIsAnsweredAlikeAndChangesNothing) {
  const auto producer = h.producer("x");
  ASSERT_EQ(h.add("x", producer, {"t-0"}, 5), ErrorCode::kNone);
  const auto response = h.end("x", producer, true);
  EXPECT_EQ(h.end("x", producer, true).error_code, ErrorCode::kConcurrentTransactions);
  h.write_markers();
  const auto batches = h.log.batch_count();
  EXPECT_EQ(of(h.end("x", producer, true)), of(response));
  EXPECT_EQ(h.end("x", producer, false).error_code, ErrorCode::kInvalidTxnState);
  EXPECT_EQ(h.log.batch_count(), batches);
}

TEST_F(EndTxnTest, T6LateEndOfAnEarlierEpochCannotTouchALaterTransaction) {
  const auto producer = h.producer("x");
  ASSERT_EQ(h.add("x", producer, {"t-0"}, 5), ErrorCode::kNone);
  h.end("x", producer, false);
  h.write_markers();
  ASSERT_EQ(h.add("x", next(producer), {"t-0"}, 5), ErrorCode::kNone);
  for (const bool commit : {true, false}) {
    EXPECT_EQ(h.end("x", producer, commit).error_code, ErrorCode::kProducerFenced);
  }
  EXPECT_EQ(h.add("x", producer, {"t-9"}, 5), ErrorCode::kProducerFenced);
  EXPECT_EQ(h.verify("x", producer, "t-0"), ErrorCode::kProducerFenced);
  EXPECT_EQ(h.state("x"), TransactionState::kOngoing);
}

// State, whether the epoch is that of before, and what abort and commit hear.
TEST_F(EndTxnTest, T6EndWithoutATransactionFollowsKafkasTable) {
  const auto kFenced = ErrorCode::kProducerFenced;
  const auto kState = ErrorCode::kInvalidTxnState;
  const auto kNone = ErrorCode::kNone;
  using enum TransactionState;
  const struct {
    TransactionState state;
    bool commit;
    ErrorCode retry;
    ErrorCode current;
    ErrorCode version_1;
  } kTable[] = {
      {kEmpty, false, kFenced, kNone, kState},         {kEmpty, true, kFenced, kState, kState},
      {kCompleteAbort, false, kNone, kNone, kNone},    {kCompleteAbort, true, kState, kState, kState},
      {kCompleteCommit, false, kState, kNone, kState}, {kCompleteCommit, true, kNone, kState, kNone},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(std::string(state_name(row.state)) + (row.commit ? " commit" : " abort"));
    Transaction planted;
    planted.state = row.state;
    planted.producer = {7, 5};
    planted.previous_producer_id = 7;
    planted.start_ms = planted.last_update_ms = h.now.wall_ms;
    h.plant("x", planted);
    EXPECT_EQ(h.end("x", {7, 4}, row.commit).error_code, row.retry);
    EXPECT_EQ(h.end("x", {7, 3}, row.commit).error_code, kFenced);
    EXPECT_EQ(h.end("x", {7, 6}, row.commit).error_code, kFenced);
    EXPECT_EQ(h.end("x", {8, 5}, row.commit).error_code, ErrorCode::kInvalidProducerIdMapping);
    EXPECT_EQ(h.end("x", {7, 4}, row.commit, 4).error_code, kFenced);
    EXPECT_EQ(h.end("x", {7, 5}, row.commit, 4).error_code, row.version_1);
    EXPECT_EQ(h.end("x", {7, 5}, row.commit).error_code, row.current);
  }
}

TEST_F(EndTxnTest, T6AbortOfNothingBumpsTheEpochAndCompletesByItself) {
  const auto producer = h.producer("x");
  EXPECT_EQ(of(h.end("x", producer, false)), next(producer));
  EXPECT_TRUE(h.markers.empty());
  EXPECT_EQ(h.state("x"), TransactionState::kCompleteAbort);
  EXPECT_EQ(h.transaction("x").start_ms, h.now.wall_ms);
  EXPECT_EQ(of(h.end("x", producer, false)), next(producer)) << "a retry";
}

TEST_F(EndTxnTest, T6LastEpochEndsWithANewIdAndARetryHearsIt) {
  Transaction planted;
  planted.state = TransactionState::kOngoing;
  planted.producer = {7, 32766};
  planted.timeout_ms = 60'000;
  planted.start_ms = planted.last_update_ms = h.now.wall_ms;
  insert_partition(planted.partitions, "t", 0);
  h.plant("x", planted);
  EXPECT_EQ(of(h.end("x", {7, 32766}, true)), (ProducerIdentity{1000, 0}));
  EXPECT_EQ(h.transaction("x").producer, (ProducerIdentity{7, 32767}));
  EXPECT_EQ(h.add("x", {1000, 0}, {"t-0"}, 5), ErrorCode::kConcurrentTransactions) << "it is not its yet";
  EXPECT_EQ(h.write_markers().producer, (ProducerIdentity{7, 32767}));
  EXPECT_EQ(of(h.end("x", {7, 32766}, true)), (ProducerIdentity{1000, 0}));
  EXPECT_EQ(h.end("x", {7, 32766}, false).error_code, ErrorCode::kInvalidTxnState);
  EXPECT_EQ(h.add("x", {1000, 0}, {"t-0"}, 5), ErrorCode::kNone);
  EXPECT_EQ(h.end("x", {7, 32766}, true).error_code, ErrorCode::kInvalidProducerIdMapping);
  EXPECT_EQ(h.end("x", {7, 32765}, true).error_code, ErrorCode::kInvalidProducerIdMapping);
}

TEST_F(EndTxnTest, EndThatWaitsForAProducerIdFindsThatAnotherWasFaster) {
  Transaction planted;
  planted.state = TransactionState::kOngoing;
  planted.producer = {7, 32766};
  planted.timeout_ms = 60'000;
  planted.start_ms = planted.last_update_ms = h.now.wall_ms;
  insert_partition(planted.partitions, "t", 0);
  h.plant("x", planted);
  h.gives_ids = false;
  const auto commit = h.send(h.end_request("x", {7, 32766}, true), 5);
  const auto abort = h.send(h.end_request("x", {7, 32766}, false), 5);
  h.give_id(h.id_tickets[1], 51);
  h.give_id(h.id_tickets[0], 50);
  EXPECT_EQ(of(*h.take<protocol::EndTxnResponse>(abort)), (ProducerIdentity{51, 0}));
  EXPECT_EQ(h.take<protocol::EndTxnResponse>(commit)->error_code, ErrorCode::kConcurrentTransactions);
  EXPECT_FALSE(h.write_markers().commit);
}

TEST_F(EndTxnTest, T12EverythingWaitsWhileTheMarkersAreWritten) {
  const auto producer = h.producer("x");
  ASSERT_EQ(h.add("x", producer, {"t-0"}, 5), ErrorCode::kNone);
  h.end("x", producer, true);
  const auto kBusy = ErrorCode::kConcurrentTransactions;
  EXPECT_EQ(h.init("x").error_code, kBusy);
  EXPECT_EQ(h.init("x", producer).error_code, kBusy);
  EXPECT_EQ(h.add("x", producer, {"t-0"}, 5), kBusy);
  EXPECT_EQ(h.add("x", next(producer), {"t-0"}, 5), kBusy);
  EXPECT_EQ(h.verify("x", next(producer), "t-0"), kBusy);
  EXPECT_EQ(h.verify("x", producer, "t-0"), ErrorCode::kProducerFenced);
  EXPECT_EQ(h.end("x", producer, false).error_code, kBusy);
  EXPECT_EQ(h.end("x", next(producer), false).error_code, kBusy);
  EXPECT_EQ(h.end("x", next(producer), false, 4).error_code, kBusy);
  EXPECT_EQ(h.end("x", producer, true, 4).error_code, ErrorCode::kProducerFenced);
  h.write_markers();
  EXPECT_EQ(h.state("x"), TransactionState::kCompleteCommit);
}

TEST_F(EndTxnTest, PartitionsAreAddedOnceAndKnownOnesCostNoRecord) {
  const auto producer = h.producer("x");
  ASSERT_EQ(h.add("x", producer, {"t-0", "t-1"}), ErrorCode::kNone);
  const auto batches = h.log.batch_count();
  EXPECT_EQ(h.add("x", producer, {"t-1", "t-0", "t-1"}), ErrorCode::kNone);
  EXPECT_EQ(h.log.batch_count(), batches);
  EXPECT_EQ(h.add("x", producer, {"t-1", "t-2"}), ErrorCode::kNone);
  EXPECT_EQ(h.transaction("x").partitions, (TopicPartitions{{"t", {0, 1, 2}}}));
}

TEST_F(EndTxnTest, AddingNeedsAKnownIdAndItsProducer) {
  EXPECT_EQ(h.add("", {1, 0}, {"t-0"}), ErrorCode::kInvalidRequest);
  EXPECT_EQ(h.add("x", {1, 0}, {"t-0"}), ErrorCode::kInvalidProducerIdMapping);
  EXPECT_EQ(h.end("", {1, 0}, true).error_code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(h.end("x", {1, 0}, true).error_code, ErrorCode::kInvalidProducerIdMapping);
  const auto producer = h.producer("x");
  EXPECT_EQ(h.add("x", {producer.id + 1, 0}, {"t-0"}), ErrorCode::kInvalidProducerIdMapping);
  EXPECT_EQ(h.add("x", next(producer), {"t-0"}), ErrorCode::kProducerFenced);
}

TEST_F(EndTxnTest, AddOffsetsAddsThePartitionOfTheGroup) {
  const auto producer = h.producer("x");
  const AddOffsets request{{.transactional_id = "x",
                            .producer_id = producer.id,
                            .producer_epoch = producer.epoch,
                            .group_id = "g"},
                           33};
  EXPECT_EQ(h.ask<protocol::AddOffsetsToTxnResponse>(request, 4).error_code, ErrorCode::kNone);
  EXPECT_EQ(h.transaction("x").partitions, (TopicPartitions{{"__consumer_offsets", {33}}}));
}

TEST_F(EndTxnTest, T6VerificationPassesOnlyPartitionsOfTheOngoingTransaction) {
  EXPECT_EQ(h.verify("", {1, 0}, "t-0"), ErrorCode::kInvalidRequest);
  EXPECT_EQ(h.verify("x", {1, 0}, "t-0"), ErrorCode::kInvalidProducerIdMapping);
  const auto producer = h.producer("x");
  EXPECT_EQ(h.verify("x", producer, "t-0"), ErrorCode::kTransactionAbortable);
  ASSERT_EQ(h.add("x", producer, {"t-0"}), ErrorCode::kNone);
  const auto errors =
      h.ask<PartitionErrors>(
           h.add_request("x", producer, {"t-0", "t-1", "u-0"}, AddOrVerifyPartitions::Mode::kVerify), 5)
          .errors;
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0], ErrorCode::kNone);
  for (const std::size_t missing : {1U, 2U}) EXPECT_EQ(errors[missing], ErrorCode::kTransactionAbortable);
  h.end("x", producer, true, 4);
  h.write_markers();
  EXPECT_EQ(h.verify("x", producer, "t-0"), ErrorCode::kTransactionAbortable);
}

TEST_F(EndTxnTest, ClientsOfVersion2FollowTheRulesOfVersion1WhereRecordsCannotSayMore) {
  h.configure([](TransactionConfig& c) { c.transaction_version = 0; });
  const auto producer = h.producer("x");
  ASSERT_EQ(h.add("x", producer, {"t-0"}, 5), ErrorCode::kNone);
  EXPECT_EQ(of(h.end("x", producer, true, 5)), ProducerIdentity{});
  EXPECT_EQ(h.write_markers().producer, producer);
}

}  // namespace
}  // namespace milena::coordinator
