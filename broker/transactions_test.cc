// Transactions from end to end: producers, coordinator, partitions, groups and readers in one broker. The
// letters and numbers in the names are those of the promises a transactional log makes (T1: all or nothing,
// T2: readers see no open or aborted record, T3: fencing, T5: a decided outcome stands, T6: no transaction is
// left hanging).
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/testing/test_broker.h"
#include "protocol/add_offsets_to_txn.gen.h"
#include "protocol/add_partitions_to_txn.gen.h"
#include "protocol/describe_transactions.gen.h"
#include "protocol/end_txn.gen.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/init_producer_id.gen.h"
#include "protocol/list_offsets.gen.h"
#include "protocol/list_transactions.gen.h"
#include "protocol/metadata.gen.h"
#include "protocol/offset_fetch.gen.h"
#include "protocol/txn_offset_commit.gen.h"
#include "protocol/write_txn_markers.gen.h"

namespace milena::broker {
namespace {

using protocol::AddPartitionsToTxnRequest;
using protocol::AddPartitionsToTxnResponse;
using protocol::EndTxnRequest;
using protocol::EndTxnResponse;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;
using protocol::ProduceRequest;
using protocol::ProduceResponse;
using protocol::ProducerId;

constexpr int kNewProduce = 12;  // adds partitions to the transaction by itself (KIP-890)
constexpr int kOldProduce = 10;  // before TRANSACTION_ABORTABLE
constexpr int kNewEndTxn = 5;    // bumps the epoch
constexpr int kOldEndTxn = 3;

struct Producer {
  ProducerId id;
  std::int16_t epoch = -1;
};

class TransactionsTest : public testing::BrokerTest, public ::testing::WithParamInterface<const char*> {
 protected:
  std::vector<std::string> overrides() const {
    return {std::string("milena.durability=") + GetParam(), "transaction.state.log.num.partitions=2",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms=20",
            "offsets.topic.num.partitions=2"};
  }
  void start() {
    broker = std::make_unique<testing::TestBroker>(root_, overrides());
    ASSERT_TRUE(broker->started()) << broker->started().error();
  }
  // A broker with the topic "letters" and both coordinators.
  void SetUp() override {
    start();
    ASSERT_EQ(create_topic(*broker, "letters", 2), ErrorCode::kNone);
    find_coordinator(1, "writer");
    find_coordinator(0, "readers");
  }
  void find_coordinator(std::int8_t type, std::string_view key) {
    protocol::FindCoordinatorRequest request{.key_type = type};
    request.coordinator_keys = arena_.array<std::string_view>(1);
    request.coordinator_keys[0] = key;
    const auto found = broker->ask<protocol::FindCoordinatorResponse>(request, 4, arena_).coordinators[0];
    ASSERT_EQ(found.error_code, ErrorCode::kNone);
  }

  InitProducerIdResponse init(std::string_view id = "writer") {
    for (;;) {  // an open transaction of the producer before is aborted first
      const auto response = broker->ask<InitProducerIdResponse>(
          InitProducerIdRequest{.transactional_id = id, .transaction_timeout_ms = 60'000}, 4, arena_);
      if (response.error_code != ErrorCode::kConcurrentTransactions &&
          response.error_code != ErrorCode::kCoordinatorLoadInProgress) {
        return response;
      }
    }
  }
  Producer producer(std::string_view id = "writer") {
    const auto response = init(id);
    EXPECT_EQ(response.error_code, ErrorCode::kNone);
    return {response.producer_id, response.producer_epoch};
  }

  ProduceRequest batch(const Producer& producer, std::int32_t sequence, std::string_view value,
                       std::int32_t partition = 0) {
    protocol::RecordBatchBuilder builder({.producer_id = producer.id,
                                          .producer_epoch = producer.epoch,
                                          .base_sequence = sequence,
                                          .transactional = true});
    builder.append(SystemClock().wall_ms(), std::nullopt, as_bytes(value));
    ProduceRequest request{.transactional_id = "writer", .acks = -1, .timeout_ms = 10'000};
    request.topic_data = arena_.array<ProduceRequest::TopicProduceData>(1);
    request.topic_data[0].name = "letters";
    request.topic_data[0].partition_data =
        arena_.array<ProduceRequest::TopicProduceData::PartitionProduceData>(1);
    request.topic_data[0].partition_data[0].index = partition;
    request.topic_data[0].partition_data[0].records =
        protocol::RecordsRef{.bytes = as_bytes(arena_.text(as_text(builder.build())))};
    return request;
  }
  static ErrorCode error_of(const ProduceResponse& response) {
    return response.responses[0].partition_responses[0].error_code;
  }
  ErrorCode write(const Producer& producer, std::int32_t sequence, std::string_view value,
                  int version = kNewProduce, std::int32_t partition = 0) {
    for (;;) {  // T12: the markers of the transaction before are being written, come again
      const auto error = error_of(
          broker->ask<ProduceResponse>(batch(producer, sequence, value, partition), version, arena_));
      if (error != ErrorCode::kConcurrentTransactions) return error;
    }
  }
  ErrorCode add_partition(const Producer& producer, std::int32_t partition = 0, int version = 3) {
    AddPartitionsToTxnRequest request{.v3_and_below_transactional_id = "writer",
                                      .v3_and_below_producer_id = producer.id,
                                      .v3_and_below_producer_epoch = producer.epoch};
    request.v3_and_below_topics = arena_.array<AddPartitionsToTxnRequest::AddPartitionsToTxnTopic>(1);
    request.v3_and_below_topics[0].name = "letters";
    request.v3_and_below_topics[0].partitions = arena_.array<protocol::PartitionId>(1);
    request.v3_and_below_topics[0].partitions[0] = partition;
    return broker->ask<AddPartitionsToTxnResponse>(request, version, arena_)
        .results_by_topic_v3_and_below[0]
        .results_by_partition[0]
        .partition_error_code;
  }
  EndTxnResponse end(const Producer& producer, bool commit, int version = kNewEndTxn) {
    return broker->ask<EndTxnResponse>(EndTxnRequest{.transactional_id = "writer",
                                                     .producer_id = producer.id,
                                                     .producer_epoch = producer.epoch,
                                                     .committed = commit},
                                       version, arena_);
  }
  // Ends it by the new rules; who writes next.
  Producer ended(const Producer& producer, bool commit) {
    const auto response = end(producer, commit);
    EXPECT_EQ(response.error_code, ErrorCode::kNone);
    return {response.producer_id, response.producer_epoch};
  }

  // The last stable offset (1) or the high watermark (0) of a partition.
  std::int64_t end_offset(std::int8_t isolation, std::int32_t partition = 0) {
    protocol::ListOffsetsRequest request{.replica_id = -1, .isolation_level = isolation};
    request.topics = arena_.array<protocol::ListOffsetsRequest::ListOffsetsTopic>(1);
    request.topics[0].name = "letters";
    request.topics[0].partitions =
        arena_.array<protocol::ListOffsetsRequest::ListOffsetsTopic::ListOffsetsPartition>(1);
    request.topics[0].partitions[0] = {.partition_index = partition, .timestamp = -1};
    return broker->ask<protocol::ListOffsetsResponse>(request, 7, arena_)
        .topics[0]
        .partitions[0]
        .offset.value;
  }
  std::int64_t stable_offset(std::int32_t partition = 0) { return end_offset(1, partition); }
  // The markers of a transaction are written after its end is answered.
  void await_stable(std::int32_t partition = 0) {
    while (end_offset(0, partition) == 0 || stable_offset(partition) != end_offset(0, partition)) {
    }
  }
  protocol::FetchResponse::FetchableTopicResponse::PartitionData read_committed(std::int32_t partition = 0) {
    protocol::FetchRequest request{
        .max_wait_ms = 0, .min_bytes = 1, .max_bytes = 1 << 20, .isolation_level = 1};
    request.topics = arena_.array<protocol::FetchRequest::FetchTopic>(1);
    request.topics[0].topic = "letters";
    request.topics[0].partitions = arena_.array<protocol::FetchRequest::FetchTopic::FetchPartition>(1);
    request.topics[0].partitions[0] = {.partition = partition, .partition_max_bytes = 1 << 20};
    return broker->ask<protocol::FetchResponse>(request, 12, arena_).responses[0].partitions[0];
  }
  bool sees(std::string_view value, std::int32_t partition = 0) {
    const auto answer = read_committed(partition);
    return as_text(answer.records->bytes).find(value) != std::string_view::npos;
  }

  ErrorCode commit_offset(const Producer& producer, std::int64_t offset, int version) {
    using Request = protocol::TxnOffsetCommitRequest;
    Request request{.transactional_id = "writer",
                    .group_id = "readers",
                    .producer_id = producer.id,
                    .producer_epoch = producer.epoch};
    request.topics = arena_.array<Request::TxnOffsetCommitRequestTopic>(1);
    request.topics[0].name = "letters";
    request.topics[0].partitions =
        arena_.array<Request::TxnOffsetCommitRequestTopic::TxnOffsetCommitRequestPartition>(1);
    request.topics[0].partitions[0].committed_offset = offset;
    for (;;) {  // T12, as in write()
      const auto error = broker->ask<protocol::TxnOffsetCommitResponse>(request, version, arena_)
                             .topics[0]
                             .partitions[0]
                             .error_code;
      if (error != ErrorCode::kConcurrentTransactions) return error;
    }
  }
  // Of partition 0 of "letters" in "readers".
  protocol::OffsetFetchResponse::OffsetFetchResponseGroup::OffsetFetchResponseTopics::
      OffsetFetchResponsePartitions
      committed_offset() {
    using Group = protocol::OffsetFetchRequest::OffsetFetchRequestGroup;
    protocol::OffsetFetchRequest request{.require_stable = true};
    request.groups = arena_.array<Group>(1);
    request.groups[0].group_id = "readers";
    request.groups[0].topics = arena_.array<Group::OffsetFetchRequestTopics>(1);
    (*request.groups[0].topics)[0].name = "letters";
    (*request.groups[0].topics)[0].partition_indexes = arena_.array<protocol::PartitionId>(1);
    return broker->ask<protocol::OffsetFetchResponse>(request, 9, arena_).groups[0].topics[0].partitions[0];
  }

  std::unique_ptr<testing::TestBroker> broker;
};

INSTANTIATE_TEST_SUITE_P(InEveryDurability, TransactionsTest, ::testing::Values("page-cache", "fsync"),
                         [](const auto& info) {
                           return std::string(info.param) == "fsync" ? "fsync" : "page_cache";
                         });

TEST_P(TransactionsTest, T1_T2_RecordsBecomeVisibleTogetherWhenTheTransactionCommits) {
  const Producer writer = producer();
  ASSERT_EQ(write(writer, 0, "Dear Milena", kNewProduce, 0), ErrorCode::kNone);
  ASSERT_EQ(write(writer, 0, "Dear Franz", kNewProduce, 1), ErrorCode::kNone);
  EXPECT_FALSE(sees("Dear Milena", 0));
  EXPECT_EQ(stable_offset(0), 0);
  EXPECT_EQ(end_offset(0, 0), 1);
  ended(writer, true);
  await_stable(0);
  await_stable(1);
  EXPECT_TRUE(sees("Dear Milena", 0));
  EXPECT_TRUE(sees("Dear Franz", 1));
}

TEST_P(TransactionsTest, T2_AnAbortedTransactionIsNamedToReaders) {
  const Producer writer = producer();
  ASSERT_EQ(write(writer, 0, "never sent"), ErrorCode::kNone);
  ended(writer, false);
  await_stable();
  const auto answer = read_committed();
  ASSERT_TRUE(answer.aborted_transactions);
  ASSERT_EQ(answer.aborted_transactions->size(), 1);
  EXPECT_EQ((*answer.aborted_transactions)[0].producer_id, writer.id);
  EXPECT_EQ((*answer.aborted_transactions)[0].first_offset, 0);
}

TEST_P(TransactionsTest, T3_ASecondProducerOfTheNameFencesTheFirst) {
  const Producer first = producer();
  ASSERT_EQ(write(first, 0, "half a letter"), ErrorCode::kNone);
  const Producer second = producer();
  EXPECT_EQ(second.id, first.id);
  EXPECT_GT(second.epoch, first.epoch);
  EXPECT_EQ(write(first, 1, "the other half"), ErrorCode::kInvalidProducerEpoch);
  EXPECT_EQ(end(first, true).error_code, ErrorCode::kProducerFenced);
  EXPECT_EQ(add_partition(first), ErrorCode::kProducerFenced);
  EXPECT_EQ(commit_offset(first, 1, 5), ErrorCode::kInvalidProducerEpoch);
  await_stable();
  EXPECT_EQ(read_committed().aborted_transactions->size(), 1);
}

TEST_P(TransactionsTest, T6a_AnOldClientMustAnnounceAPartitionBeforeItWrites) {
  const Producer writer = producer();
  EXPECT_EQ(write(writer, 0, "Dear Milena", kOldProduce), ErrorCode::kInvalidTxnState);
  EXPECT_EQ(end_offset(0), 0);
  ASSERT_EQ(add_partition(writer), ErrorCode::kNone);
  EXPECT_EQ(write(writer, 0, "Dear Milena", kOldProduce), ErrorCode::kNone);
  EXPECT_EQ(write(writer, 0, "Dear Milena", kOldProduce, 1), ErrorCode::kInvalidTxnState);
  EXPECT_EQ(end(writer, true, kOldEndTxn).error_code, ErrorCode::kNone);
  await_stable();
  EXPECT_TRUE(sees("Dear Milena"));
}

TEST_P(TransactionsTest, T6b_EveryEndBumpsTheEpochUnderTheNewRules) {
  const Producer first = producer();
  ASSERT_EQ(write(first, 0, "one"), ErrorCode::kNone);
  const Producer second = ended(first, true);
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.epoch, first.epoch + 1);
  // T6d: the answer was lost and is asked for again.
  const auto again = end(first, true);
  EXPECT_TRUE(again.error_code == ErrorCode::kNone || again.error_code == ErrorCode::kConcurrentTransactions);
  // T6c: what is late from the transaction before touches nothing.
  EXPECT_EQ(write(first, 1, "late"), ErrorCode::kInvalidProducerEpoch);
  await_stable();
  EXPECT_EQ(write(second, 0, "two"), ErrorCode::kNone);
  ended(second, true);
  await_stable();
  EXPECT_FALSE(sees("late"));
  EXPECT_TRUE(sees("two"));
}

TEST_P(TransactionsTest, TheFirstBatchesOfATransactionMayBePipelined) {
  const Producer writer = producer();
  std::vector<ProduceRequest> requests;
  for (std::int32_t sequence = 0; sequence < 5; ++sequence)
    requests.push_back(batch(writer, sequence, "Dear Milena"));
  const auto responses = broker->ask_at_once<ProduceResponse>(requests, kNewProduce, arena_);
  for (std::size_t i = 0; i < responses.size(); ++i) {
    EXPECT_EQ(error_of(responses[i]), ErrorCode::kNone) << i;
    EXPECT_EQ(responses[i].responses[0].partition_responses[0].base_offset, static_cast<std::int64_t>(i));
  }
  ended(writer, true);
  await_stable();
}

TEST_P(TransactionsTest, T5_AnOpenTransactionSurvivesARestartAndIsEnded) {
  const Producer writer = producer();
  ASSERT_EQ(write(writer, 0, "Dear Milena"), ErrorCode::kNone);
  broker->stop();
  start();
  EXPECT_EQ(stable_offset(), 0);
  EndTxnResponse response;
  do {
    response = end(writer, true);
  } while (response.error_code == ErrorCode::kCoordinatorLoadInProgress);
  ASSERT_EQ(response.error_code, ErrorCode::kNone);
  await_stable();
  EXPECT_TRUE(sees("Dear Milena"));
}

TEST_P(TransactionsTest, T7_T9_AForgottenTransactionIsAbortedAndNothingStaysOpen) {
  InitProducerIdResponse begun;
  do {
    begun = broker->ask<InitProducerIdResponse>(
        InitProducerIdRequest{.transactional_id = "writer", .transaction_timeout_ms = 50}, 4, arena_);
  } while (begun.error_code == ErrorCode::kConcurrentTransactions);
  const Producer writer{begun.producer_id, begun.producer_epoch};
  ASSERT_EQ(write(writer, 0, "half a letter"), ErrorCode::kNone);
  await_stable();
  EXPECT_EQ(read_committed().aborted_transactions->size(), 1);
  EXPECT_EQ(write(writer, 1, "the other half"), ErrorCode::kInvalidProducerEpoch);
}

TEST_P(TransactionsTest, T12_WhileMarkersAreWrittenTheNextTransactionIsToldToComeAgainAndThenBegins) {
  Producer writer = producer();
  for (int i = 0; i < 20; ++i) {
    const auto error =
        error_of(broker->ask<ProduceResponse>(batch(writer, 0, "Dear Milena"), kNewProduce, arena_));
    EXPECT_TRUE(error == ErrorCode::kNone || error == ErrorCode::kConcurrentTransactions) << i;
    if (error != ErrorCode::kNone) ASSERT_EQ(write(writer, 0, "Dear Milena"), ErrorCode::kNone);
    EndTxnResponse response;
    do {
      response = end(writer, true);
    } while (response.error_code == ErrorCode::kConcurrentTransactions);
    ASSERT_EQ(response.error_code, ErrorCode::kNone);
    writer = {response.producer_id, response.producer_epoch};
  }
  await_stable();
  EXPECT_EQ(end_offset(0), 40);
}

TEST_P(TransactionsTest, T10_ATransactionWithoutAnyRecordSurvivesARestart) {
  const Producer writer = producer();
  ASSERT_EQ(add_partition(writer), ErrorCode::kNone);
  broker->stop();
  start();
  EndTxnResponse response;
  do {
    response = end(writer, true, kOldEndTxn);
  } while (response.error_code == ErrorCode::kCoordinatorLoadInProgress);
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  await_stable();
  EXPECT_EQ(end_offset(0), 1) << "the marker";
}

TEST_P(TransactionsTest, T8_OffsetsOfATransactionArePendingUntilItCommits) {
  const Producer writer = producer();
  ASSERT_EQ(commit_offset(writer, 7, 5), ErrorCode::kNone);
  EXPECT_EQ(committed_offset().error_code, ErrorCode::kUnstableOffsetCommit);
  const Producer next = ended(writer, true);
  while (committed_offset().error_code == ErrorCode::kUnstableOffsetCommit) {
  }
  EXPECT_EQ(committed_offset().committed_offset, 7);

  ASSERT_EQ(commit_offset(next, 9, 5), ErrorCode::kNone);
  ended(next, false);
  while (committed_offset().error_code == ErrorCode::kUnstableOffsetCommit) {
  }
  EXPECT_EQ(committed_offset().committed_offset, 7);
}

TEST_P(TransactionsTest, OffsetsMayNameTheirTopicById) {
  using Request = protocol::TxnOffsetCommitRequest;
  const Producer writer = producer();
  const auto topics = broker->ask<protocol::MetadataResponse>(protocol::MetadataRequest{}, 12, arena_).topics;
  const auto letters = std::ranges::find(topics, std::optional<std::string_view>("letters"),
                                         &protocol::MetadataResponse::MetadataResponseTopic::name);
  Request request{.transactional_id = "writer",
                  .group_id = "readers",
                  .producer_id = writer.id,
                  .producer_epoch = writer.epoch};
  request.topics = arena_.array<Request::TxnOffsetCommitRequestTopic>(2);
  request.topics[0].topic_id = letters->topic_id;
  request.topics[1].topic_id = Uuid::from_halves(7, 7);
  for (auto& topic : request.topics) {
    topic.partitions = arena_.array<Request::TxnOffsetCommitRequestTopic::TxnOffsetCommitRequestPartition>(1);
    topic.partitions[0].committed_offset = 7;
  }
  const auto answered = broker->ask<protocol::TxnOffsetCommitResponse>(request, 6, arena_).topics;
  ASSERT_EQ(answered.size(), 2);
  EXPECT_EQ(answered[0].partitions[0].error_code, ErrorCode::kUnknownTopicId);
  EXPECT_EQ(answered[1].topic_id, letters->topic_id);
  EXPECT_EQ(answered[1].partitions[0].error_code, ErrorCode::kNone);
  ended(writer, true);
  while (committed_offset().error_code == ErrorCode::kUnstableOffsetCommit) {
  }
  EXPECT_EQ(committed_offset().committed_offset, 7);
}

TEST_P(TransactionsTest, T8_OldClientsAddTheOffsetsFirst) {
  const Producer writer = producer();
  EXPECT_EQ(commit_offset(writer, 7, 3), ErrorCode::kInvalidTxnState);
  const auto added = broker->ask<protocol::AddOffsetsToTxnResponse>(
      protocol::AddOffsetsToTxnRequest{.transactional_id = "writer",
                                       .producer_id = writer.id,
                                       .producer_epoch = writer.epoch,
                                       .group_id = "readers"},
      3, arena_);
  ASSERT_EQ(added.error_code, ErrorCode::kNone);
  ASSERT_EQ(commit_offset(writer, 7, 3), ErrorCode::kNone);
  EXPECT_EQ(end(writer, true, kOldEndTxn).error_code, ErrorCode::kNone);
  while (committed_offset().error_code == ErrorCode::kUnstableOffsetCommit) {
  }
  EXPECT_EQ(committed_offset().committed_offset, 7);
}

TEST_P(TransactionsTest, T11_DescribeAndListTellWhatTheCoordinatorKnows) {
  const Producer writer = producer();
  ASSERT_EQ(write(writer, 0, "Dear Milena"), ErrorCode::kNone);
  protocol::DescribeTransactionsRequest asked;
  asked.transactional_ids = arena_.array<std::string_view>(2);
  asked.transactional_ids[0] = "writer";
  asked.transactional_ids[1] = "nobody";
  const auto described =
      broker->ask<protocol::DescribeTransactionsResponse>(asked, 0, arena_).transaction_states;
  ASSERT_EQ(described.size(), 2);
  EXPECT_EQ(described[0].transaction_state, "Ongoing");
  EXPECT_EQ(described[0].producer_id, writer.id);
  ASSERT_EQ(described[0].topics.size(), 1);
  EXPECT_EQ(described[0].topics[0].topic, "letters");
  EXPECT_EQ(described[1].error_code, ErrorCode::kTransactionalIdNotFound);
  const auto listed =
      broker->ask<protocol::ListTransactionsResponse>(protocol::ListTransactionsRequest{}, 1, arena_);
  ASSERT_EQ(listed.transaction_states.size(), 1);
  EXPECT_EQ(listed.transaction_states[0].transactional_id, "writer");
  ended(writer, false);
  await_stable();
}

TEST_P(TransactionsTest, AddPartitionsIsAllOrNothing) {
  const Producer writer = producer();
  AddPartitionsToTxnRequest request{.v3_and_below_transactional_id = "writer",
                                    .v3_and_below_producer_id = writer.id,
                                    .v3_and_below_producer_epoch = writer.epoch};
  request.v3_and_below_topics = arena_.array<AddPartitionsToTxnRequest::AddPartitionsToTxnTopic>(1);
  request.v3_and_below_topics[0].name = "letters";
  request.v3_and_below_topics[0].partitions = arena_.array<protocol::PartitionId>(2);
  request.v3_and_below_topics[0].partitions[1] = 9;
  const auto results = broker->ask<AddPartitionsToTxnResponse>(request, 3, arena_)
                           .results_by_topic_v3_and_below[0]
                           .results_by_partition;
  EXPECT_EQ(results[0].partition_error_code, ErrorCode::kOperationNotAttempted);
  EXPECT_EQ(results[1].partition_error_code, ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(write(writer, 0, "Dear Milena", kOldProduce), ErrorCode::kInvalidTxnState);
}

TEST_P(TransactionsTest, AFencedProducerHearsWhatItsVersionOfAddPartitionsKnows) {
  const Producer old = producer();
  const Producer writer = producer();
  EXPECT_EQ(add_partition(old, 0, 1), ErrorCode::kInvalidProducerEpoch);
  EXPECT_EQ(add_partition(old, 0, 2), ErrorCode::kProducerFenced);
  EXPECT_EQ(add_partition(writer, 0, 1), ErrorCode::kNone);
  ended(writer, false);
  await_stable();
}

TEST_P(TransactionsTest, T4_AMarkerOfAnOlderCoordinatorIsRefused) {
  const Producer writer = producer();
  using Request = protocol::WriteTxnMarkersRequest;
  const auto mark = [&](std::int32_t coordinator_epoch) {
    Request request;
    request.markers = arena_.array<Request::WritableTxnMarker>(1);
    request.markers[0].producer_id = writer.id;
    request.markers[0].producer_epoch = writer.epoch;
    request.markers[0].coordinator_epoch = coordinator_epoch;
    request.markers[0].topics = arena_.array<Request::WritableTxnMarker::WritableTxnMarkerTopic>(1);
    request.markers[0].topics[0].name = "letters";
    request.markers[0].topics[0].partition_indexes = arena_.array<protocol::PartitionId>(1);
    return broker->ask<protocol::WriteTxnMarkersResponse>(request, 1, arena_)
        .markers[0]
        .topics[0]
        .partitions[0]
        .error_code;
  };
  EXPECT_EQ(mark(5), ErrorCode::kNone);
  EXPECT_EQ(mark(4), ErrorCode::kTransactionCoordinatorFenced);
}

}  // namespace
}  // namespace milena::broker
