#include <gtest/gtest.h>

#include "coordinator/transaction/testing/transaction_harness.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)

struct InitProducerIdTest : testing::Test {
  TransactionHarness h;

  void level(std::int16_t version) {
    h.configure([&](TransactionConfig& c) { c.transaction_version = version; });
  }
  void plant_epoch(TransactionState state, std::int16_t epoch) {
    Transaction planted;
    planted.state = state;
    planted.producer = {7, epoch};
    planted.timeout_ms = 60'000;
    planted.start_ms = planted.last_update_ms = h.now.wall_ms;
    if (state == TransactionState::kOngoing) insert_partition(planted.partitions, "t", 0);
    h.plant("x", planted);
  }
};

TEST_F(InitProducerIdTest, FirstProducerGetsANewIdAndEpochZero) {
  const auto response = h.init("x");
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  EXPECT_EQ(response.producer_id, protocol::ProducerId{1000});
  EXPECT_EQ(response.producer_epoch, 0);
  EXPECT_EQ(h.state("x"), TransactionState::kEmpty);
}

TEST_F(InitProducerIdTest, T3NextProducerBumpsTheEpochAndFencesTheFirst) {
  const auto old = h.producer("x");
  const auto fresh = h.producer("x");
  EXPECT_EQ(fresh.id, old.id);
  EXPECT_EQ(fresh.epoch, 1);
  EXPECT_EQ(h.add("x", old, {"t-0"}), ErrorCode::kProducerFenced);
  EXPECT_EQ(h.verify("x", old, "t-0"), ErrorCode::kProducerFenced);
  EXPECT_EQ(h.end("x", old, true, 4).error_code, ErrorCode::kProducerFenced);
  EXPECT_EQ(h.end("x", old, true, 5).error_code, ErrorCode::kProducerFenced);
  EXPECT_EQ(h.init("x", old).error_code, ErrorCode::kProducerFenced);
  EXPECT_EQ(h.add("x", fresh, {"t-0"}), ErrorCode::kNone);
}

TEST_F(InitProducerIdTest, OldClientsHearInvalidProducerEpochInsteadOfProducerFenced) {
  const auto old = h.producer("x");
  h.producer("x");
  EXPECT_EQ(h.init("x", old, 60'000, 3).error_code, ErrorCode::kInvalidProducerEpoch);
  EXPECT_EQ(h.init("x", old, 60'000, 4).error_code, ErrorCode::kProducerFenced);
  EXPECT_EQ(h.add("x", old, {"t-0"}, 2), ErrorCode::kProducerFenced);
  EXPECT_EQ(h.end("x", old, true, 1).error_code, ErrorCode::kInvalidProducerEpoch);
  EXPECT_EQ(h.end("x", old, true, 2).error_code, ErrorCode::kProducerFenced);
  const AddOffsets offsets{
      {.transactional_id = "x", .producer_id = old.id, .producer_epoch = old.epoch, .group_id = "g"}, 3};
  EXPECT_EQ(h.ask<protocol::AddOffsetsToTxnResponse>(offsets, 1).error_code,
            ErrorCode::kInvalidProducerEpoch);
  EXPECT_EQ(h.ask<protocol::AddOffsetsToTxnResponse>(offsets, 2).error_code, ErrorCode::kProducerFenced);
}

TEST_F(InitProducerIdTest, T7TimeoutIsPositiveAndAtMostTheLargestAllowed) {
  for (const std::int32_t timeout : {0, -1, 900'001}) {
    EXPECT_EQ(h.init("x", {}, timeout).error_code, ErrorCode::kInvalidTransactionTimeout) << timeout;
  }
  EXPECT_EQ(h.init("x", {}, 900'000).error_code, ErrorCode::kNone);
  EXPECT_EQ(h.init("x", {}, 1).error_code, ErrorCode::kNone);
}

TEST_F(InitProducerIdTest, EmptyIdIsInvalidAndErrorsCarryNoProducer) {
  const auto response = h.init("");
  EXPECT_EQ(response.error_code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(response.producer_id, protocol::kNoProducerId);
  EXPECT_EQ(response.producer_epoch, -1);
}

TEST_F(InitProducerIdTest, TwoPhaseCommitIsRefusedUnlessEnabledAndPreparedOnesAreNeverKept) {
  auto request = h.init_request("x");
  request.enable2_pc = true;
  using Response = protocol::InitProducerIdResponse;
  EXPECT_EQ(h.ask<Response>(request, 6).error_code, ErrorCode::kTransactionalIdAuthorizationFailed);
  request.keep_prepared_txn = true;
  EXPECT_EQ(h.ask<Response>(request, 6).error_code, ErrorCode::kTransactionalIdAuthorizationFailed);
  request.enable2_pc = false;
  EXPECT_EQ(h.ask<Response>(request, 6).error_code, ErrorCode::kUnsupportedVersion);
  h.configure([](TransactionConfig& c) { c.two_phase_commit_enable = true; });
  request = h.init_request("x", {}, 0);
  request.enable2_pc = true;
  const auto response = h.ask<Response>(request, 6);
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  ASSERT_EQ(h.add("x", {response.producer_id, response.producer_epoch}, {"t-0"}), ErrorCode::kNone);
  h.advance(10'000'000);
  EXPECT_EQ(h.state("x"), TransactionState::kOngoing) << "a two-phase commit has no timeout";
}

TEST_F(InitProducerIdTest, ProducerThatNamesItselfContinuesAndMayAskAgain) {
  const auto first = h.producer("x");
  const auto bumped = h.init("x", first);
  EXPECT_EQ(bumped.producer_epoch, 1);
  const auto again = h.init("x", first);
  EXPECT_EQ(again.error_code, ErrorCode::kNone) << "the answer was lost";
  EXPECT_EQ(again.producer_epoch, 1);
  h.producer("x");  // somebody else: no retry any more
  EXPECT_EQ(h.init("x", first).error_code, ErrorCode::kProducerFenced);
  EXPECT_EQ(h.init("x", {999, 0}).error_code, ErrorCode::kProducerFenced);
}

TEST_F(InitProducerIdTest, T12OngoingTransactionIsAbortedFirstAndTheClientTriesAgain) {
  for (const std::int16_t version : std::initializer_list<std::int16_t>{1, 2}) {
    level(version);
    const auto old = h.producer("x");
    ASSERT_EQ(h.add("x", old, {"t-0", "u-1"}), ErrorCode::kNone);
    EXPECT_EQ(h.init("x").error_code, ErrorCode::kConcurrentTransactions);
    EXPECT_EQ(h.state("x"), TransactionState::kPrepareAbort);
    EXPECT_EQ(h.init("x").error_code, ErrorCode::kConcurrentTransactions);
    const auto markers = h.write_markers();
    EXPECT_FALSE(markers.commit);
    EXPECT_EQ(markers.producer, (ProducerIdentity{old.id, static_cast<std::int16_t>(old.epoch + 1)}));
    EXPECT_EQ(markers.transaction_version, version == 2 ? 2 : 0);
    EXPECT_EQ(h.state("x"), TransactionState::kCompleteAbort);
    EXPECT_EQ(h.producer("x").epoch, old.epoch + 2);
    EXPECT_EQ(h.end("x", old, true, 4).error_code, ErrorCode::kProducerFenced);
  }
}

TEST_F(InitProducerIdTest, T6LateRequestOfAnEarlierEpochDoesNotAbortAnOngoingTransaction) {
  const auto first = h.producer("x");
  const auto bumped = h.init("x", first);
  const ProducerIdentity current{bumped.producer_id, bumped.producer_epoch};
  ASSERT_EQ(h.add("x", current, {"t-0"}), ErrorCode::kNone);
  EXPECT_EQ(h.init("x", first).error_code, ErrorCode::kProducerFenced);
  EXPECT_EQ(h.state("x"), TransactionState::kOngoing);
  EXPECT_EQ(h.init("x", current).error_code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(h.state("x"), TransactionState::kPrepareAbort);
}

TEST_F(InitProducerIdTest, T6ExhaustedEpochLeadsToANewId) {
  plant_epoch(TransactionState::kCompleteCommit, 32766);
  const auto response = h.init("x");
  EXPECT_EQ(response.producer_id, protocol::ProducerId{1000});
  EXPECT_EQ(response.producer_epoch, 0);
  EXPECT_EQ(h.transaction("x").previous_producer_id, protocol::ProducerId{7});
}

TEST_F(InitProducerIdTest, T6ProducerThatMissedItsNewIdMayAskAgain) {
  plant_epoch(TransactionState::kCompleteCommit, 32766);
  EXPECT_EQ(h.init("x", {7, 32766}).producer_id, protocol::ProducerId{1000});
  const auto again = h.init("x", {7, 32766});
  EXPECT_EQ(again.producer_id, protocol::ProducerId{1000});
  EXPECT_EQ(again.producer_epoch, 0);
  EXPECT_EQ(h.init("x", {7, 32765}).error_code, ErrorCode::kProducerFenced);
}

TEST_F(InitProducerIdTest, T6LastEpochBeforeExhaustionIsGivenOut) {
  plant_epoch(TransactionState::kEmpty, 32765);
  EXPECT_EQ(h.init("x").producer_epoch, 32766);
  EXPECT_EQ(h.init("x").producer_epoch, 0);
}

TEST_F(InitProducerIdTest, T6FencingTheLastEpochOfVersion2GoesOnWithANewId) {
  plant_epoch(TransactionState::kOngoing, 32766);
  EXPECT_EQ(h.init("x").error_code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(h.write_markers().producer, (ProducerIdentity{7, 32767}));
  EXPECT_EQ(h.transaction("x").producer, (ProducerIdentity{1000, 0}));
  EXPECT_EQ(h.producer("x"), (ProducerIdentity{1000, 1}));
}

TEST_F(InitProducerIdTest, T6FencingTheLastEpochOfVersion1LeavesTheNewIdToTheNextProducer) {
  level(1);
  plant_epoch(TransactionState::kOngoing, 32766);
  EXPECT_EQ(h.init("x").error_code, ErrorCode::kConcurrentTransactions);
  EXPECT_EQ(h.write_markers().producer, (ProducerIdentity{7, 32767}));
  EXPECT_EQ(h.transaction("x").producer, (ProducerIdentity{7, 32767}));
  EXPECT_EQ(h.init("x", {7, 32766}).error_code, ErrorCode::kProducerFenced);
  EXPECT_EQ(h.producer("x"), (ProducerIdentity{1000, 0}));
}

TEST_F(InitProducerIdTest, ProducerIdsComeFromOutsideAndNobodyWaitsForThem) {
  h.gives_ids = false;
  const auto a = h.send(h.init_request("a"), 5);
  const auto b = h.send(h.init_request("b"), 5);
  EXPECT_TRUE(h.waits(a) && h.waits(b));
  ASSERT_EQ(h.id_tickets.size(), 2U);
  h.give_id(h.id_tickets[1], 5);
  EXPECT_TRUE(h.waits(a));
  EXPECT_EQ(h.take<protocol::InitProducerIdResponse>(b)->producer_id, protocol::ProducerId{5});
  h.give_id(h.id_tickets[0], std::nullopt);
  EXPECT_EQ(h.take<protocol::InitProducerIdResponse>(a)->error_code, ErrorCode::kCoordinatorLoadInProgress);
  h.give_id(h.id_tickets[0], 6);  // used up
  EXPECT_EQ(h.find("a"), nullptr);
}

TEST_F(InitProducerIdTest, WhoeverWaitsForAProducerIdHearsThatTheCoordinatorMoved) {
  h.gives_ids = false;
  const auto token = h.send(h.init_request("a"), 5);
  h.load();
  EXPECT_EQ(h.take<protocol::InitProducerIdResponse>(token)->error_code, ErrorCode::kNotCoordinator);
}

TEST_F(InitProducerIdTest, TwoFirstProducersAtOnceGetDifferentEpochs) {
  h.gives_ids = false;
  const auto a = h.send(h.init_request("x"), 5);
  const auto b = h.send(h.init_request("x"), 5);
  h.give_id(h.id_tickets[0], 5);
  h.give_id(h.id_tickets[1], 6);
  const auto first = *h.take<protocol::InitProducerIdResponse>(a);
  const auto second = *h.take<protocol::InitProducerIdResponse>(b);
  EXPECT_EQ(first.producer_epoch, 0);
  EXPECT_EQ(second.producer_id, first.producer_id);
  EXPECT_EQ(second.producer_epoch, 1);
}

TEST_F(InitProducerIdTest, IdThatCameTooLateIsNotUsed) {
  h.gives_ids = false;
  const auto late = h.send(h.init_request("x"), 5);
  h.send(h.init_request("x"), 5);
  h.give_id(h.id_tickets[1], 5);
  ASSERT_EQ(h.add("x", {5, 0}, {"t-0"}), ErrorCode::kNone);
  h.give_id(h.id_tickets[0], 6);
  EXPECT_EQ(h.take<protocol::InitProducerIdResponse>(late)->error_code, ErrorCode::kConcurrentTransactions);
  h.write_markers();
  EXPECT_EQ(h.transaction("x").producer, (ProducerIdentity{5, 1}));
}

}  // namespace
}  // namespace milena::coordinator
