// ProducerState: the invariants I1-I5 and I8 of the idempotent producer, open transactions, and snapshots.
#include "storage/producer_state.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "protocol/error_code.h"
#include "storage/producer_snapshot.h"

namespace milena::storage {
namespace {

constexpr std::int32_t kMaxSequence = 2'147'483'647;

class ProducerStateTest : public testing::Test {
 protected:
  ProducerBatch data(std::int16_t epoch, std::int32_t first, std::int32_t last, bool transactional = false) {
    const std::int32_t count = last >= first ? last - first + 1 : kMaxSequence - first + 2 + last;
    ProducerBatch batch{.producer_id = 1,
                        .producer_epoch = epoch,
                        .base_sequence = first,
                        .last_sequence = last,
                        .base_offset = next_,
                        .last_offset = next_ + count - 1,
                        .max_timestamp = 100 + next_.value,
                        .transactional = transactional,
                        .control = false,
                        .marker = {}};
    return batch;
  }
  ProducerBatch marker(std::int16_t epoch, bool commit, std::int32_t coordinator_epoch = 0) {
    return {.producer_id = 1,
            .producer_epoch = epoch,
            .base_sequence = -1,
            .last_sequence = -1,
            .base_offset = next_,
            .last_offset = next_,
            .max_timestamp = 100 + next_.value,
            .transactional = true,
            .control = true,
            .marker = EndTxnMarker{commit, coordinator_epoch}};
  }
  // kNone when the batch was taken.
  ErrorCode append(const ProducerBatch& batch, AppendOrigin origin = AppendOrigin::kClient,
                   std::int16_t transaction_version = 0,
                   std::optional<VerificationTicket> verification = std::nullopt) {
    duplicate_.reset();
    const auto staged = state_.stage(batch, origin, transaction_version, verification);
    if (!staged || *staged) {
      if (staged) duplicate_ = **staged;
      state_.discard();
      return staged ? ErrorCode::kNone : staged.error().code;
    }
    state_.commit(aborted_);
    next_ = batch.last_offset + 1;
    return ErrorCode::kNone;
  }
  ErrorCode append_verified(const ProducerBatch& batch, VerificationTicket ticket) {
    return append(batch, AppendOrigin::kClient, 0, ticket);
  }
  ErrorCode end(const ProducerBatch& batch, std::int16_t transaction_version = 0) {
    return append(batch, AppendOrigin::kCoordinator, transaction_version);
  }

  ProducerState state_;
  std::vector<AbortedTransaction> aborted_;
  std::optional<RememberedBatch> duplicate_;
  Offset next_ = 0;
};

TEST_F(ProducerStateTest, I1_EachOfTheLastFiveBatchesIsRecognisedWithItsOffsetAndTime) {
  for (int i = 0; i < 7; ++i) ASSERT_EQ(append(data(0, i * 2, i * 2 + 1)), ErrorCode::kNone);
  for (int i = 2; i < 7; ++i) {
    ASSERT_EQ(append(data(0, i * 2, i * 2 + 1)), ErrorCode::kNone);
    ASSERT_TRUE(duplicate_) << i;
    EXPECT_EQ(duplicate_->first_offset(), i * 2);
    EXPECT_EQ(duplicate_->last_offset, i * 2 + 1);
    EXPECT_EQ(duplicate_->timestamp, 100 + i * 2);
  }
  // Older ones are out of order, as in Kafka; so is one that only overlaps.
  EXPECT_EQ(append(data(0, 2, 3)), ErrorCode::kOutOfOrderSequenceNumber);
  EXPECT_EQ(append(data(0, 12, 12)), ErrorCode::kOutOfOrderSequenceNumber);
}

TEST_F(ProducerStateTest, I2_SequencesFollowEachOtherAndWrap) {
  ASSERT_EQ(append(data(0, kMaxSequence - 2, kMaxSequence - 1)), ErrorCode::kNone);
  EXPECT_EQ(append(data(0, 0, 0)), ErrorCode::kOutOfOrderSequenceNumber);
  ASSERT_EQ(append(data(0, kMaxSequence, 1)), ErrorCode::kNone);
  EXPECT_EQ(append(data(0, 3, 3)), ErrorCode::kOutOfOrderSequenceNumber);
  ASSERT_EQ(append(data(0, 2, 2)), ErrorCode::kNone);
  ASSERT_EQ(append(data(0, kMaxSequence, 1)), ErrorCode::kNone);
  EXPECT_TRUE(duplicate_);
}

TEST_F(ProducerStateTest, I3_EpochsFenceAndStartAtZero) {
  ASSERT_EQ(append(data(3, 0, 4)), ErrorCode::kNone);
  EXPECT_EQ(append(data(2, 5, 5)), ErrorCode::kInvalidProducerEpoch);
  EXPECT_EQ(append(data(4, 5, 5)), ErrorCode::kOutOfOrderSequenceNumber);
  ASSERT_EQ(append(data(4, 0, 0)), ErrorCode::kNone);
  // The old epoch's batches are no duplicates any more.
  EXPECT_EQ(append(data(3, 0, 4)), ErrorCode::kInvalidProducerEpoch);
}

TEST_F(ProducerStateTest, I3_WithoutStateAnyFirstSequenceIsFine) {
  EXPECT_EQ(append(data(7, 1234, 1240)), ErrorCode::kNone);
}

TEST_F(ProducerStateTest, I5_ExpiryCountsFromBatchesAndMarkersAndSparesOpenTransactions) {
  ASSERT_EQ(append(data(0, 0, 0, true)), ErrorCode::kNone);
  state_.expire(1'000'000, 10);
  EXPECT_EQ(state_.size(), 1u);
  next_ = 5000;
  ASSERT_EQ(end(marker(0, true)), ErrorCode::kNone);  // at 5100 ms
  state_.expire(5109, 10);
  EXPECT_EQ(state_.size(), 1u);
  state_.expire(5110, 10);
  EXPECT_EQ(state_.size(), 0u);
}

TEST_F(ProducerStateTest, I8_OnlyErrorsThatClientsKnowAreGiven) {
  ASSERT_EQ(append(data(5, 0, 0, true)), ErrorCode::kNone);
  for (const auto& batch :
       {data(4, 1, 1, true), data(5, 9, 9, true), data(6, 9, 9, true), data(5, 1, 1, false)}) {
    const ErrorCode code = append(batch);
    EXPECT_TRUE(code == ErrorCode::kInvalidProducerEpoch || code == ErrorCode::kOutOfOrderSequenceNumber ||
                code == ErrorCode::kInvalidTxnState);
  }
}

TEST_F(ProducerStateTest, ARefusedBatchChangesNothing) {
  ASSERT_EQ(append(data(0, 0, 0)), ErrorCode::kNone);
  const ProducerState before = state_;
  EXPECT_NE(append(data(0, 5, 5)), ErrorCode::kNone);
  EXPECT_EQ(state_, before);
}

TEST_F(ProducerStateTest, SeveralBatchesOfOneAppendAreJudgedTogether) {
  auto second = data(0, 1, 1);
  ASSERT_TRUE(state_.stage(data(0, 0, 0), AppendOrigin::kClient, 0));
  second.base_offset = second.last_offset = 1;
  ASSERT_TRUE(state_.stage(second, AppendOrigin::kClient, 0));
  second.base_sequence = second.last_sequence = 3;
  EXPECT_EQ(state_.stage(second, AppendOrigin::kClient, 0).error().code,
            ErrorCode::kOutOfOrderSequenceNumber);
}

TEST_F(ProducerStateTest, CoordinatorsAreNotHeldToSequences) {
  ASSERT_EQ(append(data(0, 0, 0)), ErrorCode::kNone);
  EXPECT_EQ(append(data(0, 17, 17), AppendOrigin::kCoordinator), ErrorCode::kNone);
}

TEST_F(ProducerStateTest, OnlyAVerifiedBatchOpensATransaction) {
  EXPECT_EQ(append_verified(data(0, 0, 0, true), 0), ErrorCode::kInvalidTxnState);
  const auto ticket = state_.begin_verification(1, 0, 0);
  ASSERT_TRUE(ticket);
  EXPECT_EQ(append_verified(data(0, 0, 0, true), *ticket + 1), ErrorCode::kInvalidTxnState);
  EXPECT_EQ(append_verified(data(0, 0, 0, true), *ticket), ErrorCode::kNone);
  // The transaction is open: nobody is asked again, and a batch needs no ticket.
  EXPECT_FALSE(state_.begin_verification(1, 0, 0));
  EXPECT_EQ(append_verified(data(0, 1, 1, true), 0), ErrorCode::kNone);
}

TEST_F(ProducerStateTest, TheMarkerVoidsATicketSoThatALateBatchOpensNothing) {
  const auto ticket = state_.begin_verification(1, 0, 0);
  ASSERT_EQ(end(marker(0, false)), ErrorCode::kNone);
  EXPECT_EQ(append_verified(data(0, 0, 0, true), *ticket), ErrorCode::kInvalidTxnState);
  EXPECT_FALSE(state_.first_unstable_offset());
  EXPECT_NE(state_.begin_verification(1, 0, 0), ticket);
}

TEST_F(ProducerStateTest, OffsetsOfATransactionNeedATicketLikeRecordsOfClients) {
  const auto ticket = state_.begin_verification(1, 0, 0);
  EXPECT_EQ(append(data(0, 0, 0, true), AppendOrigin::kCoordinator, 0, *ticket + 1),
            ErrorCode::kInvalidTxnState);
  EXPECT_EQ(append(data(0, 0, 0, true), AppendOrigin::kCoordinator, 0, *ticket), ErrorCode::kNone);
}

TEST_F(ProducerStateTest, ATransactionOfAnOlderEpochDoesNotVouchForANewOne) {
  const auto first = state_.begin_verification(1, 0, 0);
  ASSERT_EQ(append_verified(data(0, 0, 0, true), *first), ErrorCode::kNone);
  EXPECT_EQ(append_verified(data(1, 0, 0, true), *first), ErrorCode::kInvalidTxnState);
}

TEST_F(ProducerStateTest, VerificationsThatNobodyUsesAreForgotten) {
  const auto ticket = state_.begin_verification(1, 0, 1000);
  state_.expire(1000 + 60'000, 60'000);
  EXPECT_EQ(append_verified(data(0, 0, 0, true), *ticket), ErrorCode::kInvalidTxnState);
}

TEST_F(ProducerStateTest, AnOpenTransactionHoldsBackTheUnstableOffset) {
  ASSERT_EQ(append(data(0, 0, 1, true)), ErrorCode::kNone);
  ASSERT_EQ(append(data(0, 2, 3, true)), ErrorCode::kNone);
  EXPECT_EQ(state_.first_unstable_offset(), Offset(0));
  ASSERT_EQ(end(marker(0, false)), ErrorCode::kNone);
  EXPECT_EQ(aborted_, (std::vector<AbortedTransaction>{{1, 0, 4, 5}}));
  // Decided, but the marker is not replicated yet.
  EXPECT_EQ(state_.first_unstable_offset(), Offset(0));
  state_.on_high_watermark(4);
  EXPECT_EQ(state_.first_unstable_offset(), Offset(0));
  state_.on_high_watermark(5);
  EXPECT_FALSE(state_.first_unstable_offset());
}

TEST_F(ProducerStateTest, AnAbortedTransactionKnowsTheOldestOneStillOpen) {
  auto other = data(0, 0, 0, true);
  other.producer_id = 2;
  ASSERT_EQ(append(other), ErrorCode::kNone);                // offset 0
  ASSERT_EQ(append(data(0, 0, 0, true)), ErrorCode::kNone);  // offset 1
  ASSERT_EQ(end(marker(0, false)), ErrorCode::kNone);        // offset 2
  EXPECT_EQ(aborted_, (std::vector<AbortedTransaction>{{1, 1, 2, 0}}));
}

TEST_F(ProducerStateTest, AMarkerWithoutATransactionLeavesNoTraceButItsEpochs) {
  ASSERT_EQ(end(marker(3, false, 9)), ErrorCode::kNone);
  EXPECT_TRUE(aborted_.empty());
  EXPECT_FALSE(state_.first_unstable_offset());
  EXPECT_EQ(state_.find(1)->coordinator_epoch, 9);
  EXPECT_EQ(state_.find(1)->producer_epoch, 3);
}

TEST_F(ProducerStateTest, MarkersOfOlderCoordinatorsAndEpochsAreFenced) {
  ASSERT_EQ(append(data(3, 0, 0, true)), ErrorCode::kNone);
  ASSERT_EQ(end(marker(3, true, 5)), ErrorCode::kNone);
  EXPECT_EQ(end(marker(3, true, 4)), ErrorCode::kTransactionCoordinatorFenced);
  EXPECT_EQ(end(marker(2, true, 5)), ErrorCode::kInvalidProducerEpoch);
}

TEST_F(ProducerStateTest, FromTransactionsVersion2AMarkerBumpsTheEpoch) {
  ASSERT_EQ(append(data(3, 0, 0, true)), ErrorCode::kNone);
  EXPECT_EQ(end(marker(3, true), 2), ErrorCode::kInvalidProducerEpoch);
  ASSERT_EQ(end(marker(4, true), 2), ErrorCode::kNone);
  // Repeated after a coordinator fail-over.
  EXPECT_EQ(end(marker(4, true), 2), ErrorCode::kNone);
  // The next transaction starts at sequence 0 of the new epoch.
  EXPECT_EQ(append(data(4, 1, 1, true)), ErrorCode::kOutOfOrderSequenceNumber);
  EXPECT_EQ(append(data(4, 0, 0, true)), ErrorCode::kNone);
}

TEST_F(ProducerStateTest, ReplicationRefusesNothing) {
  ASSERT_EQ(append(data(3, 0, 0)), ErrorCode::kNone);
  EXPECT_EQ(append(data(1, 99, 99), AppendOrigin::kReplication), ErrorCode::kNone);
  EXPECT_EQ(state_.find(1)->producer_epoch, 1);
}

TEST_F(ProducerStateTest, ASnapshotKeepsEverything) {
  for (int i = 0; i < 6; ++i) ASSERT_EQ(append(data(2, i, i, true)), ErrorCode::kNone);
  ASSERT_EQ(end(marker(2, true)), ErrorCode::kNone);
  ASSERT_EQ(append(data(2, 6, 8, true)), ErrorCode::kNone);
  auto idle = marker(0, true);
  idle.producer_id = 9;
  ASSERT_EQ(end(idle), ErrorCode::kNone);
  const auto bytes = encode_producer_snapshot(state_);
  EXPECT_EQ(decode_producer_snapshot(bytes), state_);
}

TEST_F(ProducerStateTest, ASnapshotThatKafkaWroteKeepsTheLastBatch) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(append(data(2, i, i)), ErrorCode::kNone);
  // Version 1, CRC-32C of what follows it, one entry: what Kafka 4.3's ProducerStateManager writes for this
  // state.
  constexpr unsigned char kKafka[] = {
      0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,  // version crc count
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x02, 0x00, 0x00,
      0x00, 0x02,                                                              // id epoch sequence
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,  // offset delta
      0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x66, 0xff, 0xff, 0xff, 0xff,  // time coordinator
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};                         // transaction
  std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(kKafka),
                               reinterpret_cast<const std::byte*>(kKafka) + sizeof kKafka);
  EXPECT_FALSE(decode_producer_snapshot(bytes));  // the checksum is wrong
  store_be(bytes.data() + 2, crc32c(BytesView(bytes).subspan(6)));
  const auto state = decode_producer_snapshot(bytes);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->active(), state_.active());
  EXPECT_EQ(state->find(1)->batch_count, 1);
  // Ours begins with the same bytes; only the checksum covers more.
  const auto ours = encode_producer_snapshot(state_);
  EXPECT_TRUE(std::equal(bytes.begin() + 6, bytes.end(), ours.begin() + 6));
}

TEST_F(ProducerStateTest, EveryDamagedByteOfASnapshotIsNoticed) {
  for (int i = 0; i < 6; ++i) ASSERT_EQ(append(data(2, i, i, true)), ErrorCode::kNone);
  ASSERT_EQ(end(marker(2, true)), ErrorCode::kNone);
  const auto good = encode_producer_snapshot(state_);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= std::byte{0x10};
    EXPECT_FALSE(decode_producer_snapshot(bad)) << "flipped " << i;
    EXPECT_FALSE(decode_producer_snapshot(BytesView(good).first(i))) << "cut at " << i;
  }
}

}  // namespace
}  // namespace milena::storage
