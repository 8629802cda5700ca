// A broker on which no coordinator was looked up yet, and so has no internal topics: what transactions,
// groups and Metadata find there.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "broker/testing/test_broker.h"
#include "protocol/add_offsets_to_txn.gen.h"
#include "protocol/describe_configs.gen.h"
#include "protocol/describe_transactions.gen.h"
#include "protocol/end_txn.gen.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/init_producer_id.gen.h"
#include "protocol/metadata.gen.h"
#include "protocol/offset_fetch.gen.h"
#include "protocol/txn_offset_commit.gen.h"

namespace milena::broker {
namespace {

using protocol::AddOffsetsToTxnRequest;
using protocol::AddOffsetsToTxnResponse;
using protocol::EndTxnRequest;
using protocol::EndTxnResponse;
using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;
using protocol::MetadataRequest;
using protocol::MetadataResponse;

class FreshBrokerTest : public testing::BrokerTest {
 protected:
  void SetUp() override {
    broker = std::make_unique<testing::TestBroker>(
        root_,
        std::vector<std::string>{"offsets.topic.num.partitions=7", "transaction.state.log.num.partitions=2"});
    ASSERT_TRUE(broker->started()) << broker->started().error();
  }
  ErrorCode find_coordinator(std::int8_t type, std::string_view key) {
    FindCoordinatorRequest request{.key_type = type};
    request.coordinator_keys = arena_.array<std::string_view>(1);
    request.coordinator_keys[0] = key;
    return broker->ask<FindCoordinatorResponse>(request, 4, arena_).coordinators[0].error_code;
  }
  InitProducerIdResponse producer() {
    return broker->ask<InitProducerIdResponse>(
        InitProducerIdRequest{.transactional_id = "writer", .transaction_timeout_ms = 60'000}, 4, arena_);
  }
  ErrorCode add_offsets(const InitProducerIdResponse& producer, std::string_view id = "writer") {
    return broker
        ->ask<AddOffsetsToTxnResponse>(AddOffsetsToTxnRequest{.transactional_id = id,
                                                              .producer_id = producer.producer_id,
                                                              .producer_epoch = producer.producer_epoch,
                                                              .group_id = "readers"},
                                       3, arena_)
        .error_code;
  }
  ErrorCode commit_transaction(const InitProducerIdResponse& producer) {
    return broker
        ->ask<EndTxnResponse>(EndTxnRequest{.transactional_id = "writer",
                                            .producer_id = producer.producer_id,
                                            .producer_epoch = producer.producer_epoch,
                                            .committed = true},
                              3, arena_)
        .error_code;
  }
  std::string transaction_state() {
    protocol::DescribeTransactionsRequest request;
    request.transactional_ids = arena_.array<std::string_view>(1);
    request.transactional_ids[0] = "writer";
    return std::string(broker->ask<protocol::DescribeTransactionsResponse>(request, 0, arena_)
                           .transaction_states[0]
                           .transaction_state);
  }
  MetadataResponse metadata_of(std::string_view topic, bool creates) {
    MetadataRequest request{.allow_auto_topic_creation = creates};
    request.topics = arena_.array<MetadataRequest::MetadataRequestTopic>(1);
    (*request.topics)[0].name = topic;
    return broker->ask<MetadataResponse>(request, 12, arena_);
  }

  std::unique_ptr<testing::TestBroker> broker;
};

TEST_F(FreshBrokerTest, OffsetsAreAddedToATransactionBeforeAnyGroupWasLookedUp) {
  ASSERT_EQ(find_coordinator(1, "writer"), ErrorCode::kNone);
  const auto writer = producer();
  ASSERT_EQ(writer.error_code, ErrorCode::kNone);
  EXPECT_EQ(add_offsets(writer), ErrorCode::kNone);
  auto fenced = writer;
  fenced.producer_epoch = static_cast<std::int16_t>(writer.producer_epoch + 1);
  EXPECT_EQ(add_offsets(fenced), ErrorCode::kProducerFenced);
  EXPECT_EQ(add_offsets(writer, "nobody"), ErrorCode::kInvalidProducerIdMapping);
  EXPECT_EQ(metadata_of("__consumer_offsets", false).topics[0].error_code,
            ErrorCode::kUnknownTopicOrPartition);
}

// The partition that was added is the one that the group belongs to once its topic is there: the
// transaction's marker ends what TxnOffsetCommit began.
TEST_F(FreshBrokerTest, OffsetsAddedBeforeTheTopicExistsCountWhenTheTransactionCommits) {
  ASSERT_EQ(create_topic(*broker, "letters", 1), ErrorCode::kNone);
  ASSERT_EQ(find_coordinator(1, "writer"), ErrorCode::kNone);
  const auto writer = producer();
  ASSERT_EQ(add_offsets(writer), ErrorCode::kNone);
  ASSERT_EQ(find_coordinator(0, "readers"), ErrorCode::kNone);
  using Commit = protocol::TxnOffsetCommitRequest;
  Commit commit{.transactional_id = "writer",
                .group_id = "readers",
                .producer_id = writer.producer_id,
                .producer_epoch = writer.producer_epoch};
  commit.topics = arena_.array<Commit::TxnOffsetCommitRequestTopic>(1);
  commit.topics[0].name = "letters";
  commit.topics[0].partitions =
      arena_.array<Commit::TxnOffsetCommitRequestTopic::TxnOffsetCommitRequestPartition>(1);
  commit.topics[0].partitions[0].committed_offset = 7;
  ASSERT_EQ(
      broker->ask<protocol::TxnOffsetCommitResponse>(commit, 3, arena_).topics[0].partitions[0].error_code,
      ErrorCode::kNone);
  ASSERT_EQ(commit_transaction(writer), ErrorCode::kNone);
  while (transaction_state() != "CompleteCommit") {
  }
  protocol::OffsetFetchRequest fetch;
  fetch.groups = arena_.array<protocol::OffsetFetchRequest::OffsetFetchRequestGroup>(1);
  fetch.groups[0].group_id = "readers";
  const auto group = broker->ask<protocol::OffsetFetchResponse>(fetch, 9, arena_).groups[0];
  ASSERT_EQ(group.topics.size(), 1);
  EXPECT_EQ(group.topics[0].partitions[0].committed_offset, 7);
}

TEST_F(FreshBrokerTest, ATransactionEndsAlthoughTheTopicOfItsOffsetsWasNeverCreated) {
  ASSERT_EQ(find_coordinator(1, "writer"), ErrorCode::kNone);
  const auto writer = producer();
  ASSERT_EQ(add_offsets(writer), ErrorCode::kNone);
  ASSERT_EQ(commit_transaction(writer), ErrorCode::kNone);
  while (transaction_state() != "CompleteCommit") {
  }
}

TEST_F(FreshBrokerTest, MetadataCreatesAnInternalTopicAsItsCoordinatorWould) {
  const auto topic = metadata_of("__consumer_offsets", true).topics[0];
  EXPECT_EQ(topic.error_code, ErrorCode::kNone);
  EXPECT_TRUE(topic.is_internal);
  EXPECT_EQ(topic.partitions.size(), 7);
  using Configs = protocol::DescribeConfigsRequest;
  Configs request;
  request.resources = arena_.array<Configs::DescribeConfigsResource>(1);
  request.resources[0].resource_type = 2;
  request.resources[0].resource_name = "__consumer_offsets";
  const auto configs = broker->ask<protocol::DescribeConfigsResponse>(request, 4, arena_).results[0].configs;
  const auto policy = std::ranges::find(
      configs, "cleanup.policy",
      &protocol::DescribeConfigsResponse::DescribeConfigsResult::DescribeConfigsResourceResult::name);
  ASSERT_NE(policy, configs.end());
  EXPECT_EQ(policy->value, "compact");
  EXPECT_EQ(metadata_of("__share_group_state", true).topics[0].error_code,
            ErrorCode::kUnknownTopicOrPartition);
}

}  // namespace
}  // namespace milena::broker
