// Requests that a client sends in one piece on one connection: what comes behind a change of the metadata
// sees the change, as it does on a broker that handles one request of a connection at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "broker/testing/test_broker.h"
#include "protocol/create_partitions.gen.h"
#include "protocol/delete_topics.gen.h"
#include "protocol/describe_configs.gen.h"
#include "protocol/end_txn.gen.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/incremental_alter_configs.gen.h"
#include "protocol/init_producer_id.gen.h"
#include "protocol/metadata.gen.h"
#include "protocol/offset_commit.gen.h"
#include "protocol/txn_offset_commit.gen.h"

namespace milena::broker {
namespace {

using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using protocol::IncrementalAlterConfigsRequest;
using protocol::IncrementalAlterConfigsResponse;
using protocol::MetadataRequest;
using protocol::MetadataResponse;
using protocol::ProduceRequest;
using protocol::ProduceResponse;

constexpr int kRounds = 20;
constexpr std::int8_t kTopic = 2;

// Each round uses a topic of its own: what a request finds cannot be left over from the round before.
class PipeliningTest : public testing::BrokerTest {
 protected:
  void SetUp() override {
    broker = std::make_unique<testing::TestBroker>(root_);
    ASSERT_TRUE(broker->started()) << broker->started().error();
  }

  template <class First, class Second>
  struct Answers {
    First first;
    Second second;
  };
  // Both requests in one write.
  template <class First, class Second>
  Answers<First, Second> in_one_piece(const auto& first, int first_version, const auto& second,
                                      int second_version) {
    const auto frame = [&](const auto& request, int version, std::int32_t id) {
      return as_text(
          protocol::flatten(protocol::encode_request(request, version, id, "test", arena_), arena_));
    };
    testing::Client client(broker->port());
    EXPECT_TRUE(client.send(std::string(frame(first, first_version, 1)) +
                            std::string(frame(second, second_version, 2))));
    auto one = testing::TestBroker::decoded<First>(client.receive(), first_version, arena_);
    auto two = testing::TestBroker::decoded<Second>(client.receive(), second_version, arena_);
    return {std::move(one), std::move(two)};
  }

  std::string_view fresh_name() { return arena_.text("letters-" + std::to_string(++topics_)); }
  std::string_view created_topic() {
    const auto name = fresh_name();
    EXPECT_EQ(create_topic(*broker, name, 1), ErrorCode::kNone);
    return name;
  }
  MetadataRequest metadata_of(std::string_view topic, bool creates = false) {
    MetadataRequest request{.allow_auto_topic_creation = creates};
    request.topics = arena_.array<MetadataRequest::MetadataRequestTopic>(1);
    (*request.topics)[0].name = topic;
    return request;
  }
  ProduceRequest produce_to(std::string_view topic, std::size_t bytes = 10) {
    protocol::RecordBatchBuilder builder;
    builder.append(1'700'000'000'000, std::nullopt, as_bytes(std::string(bytes, 'x')));
    ProduceRequest request{.acks = -1, .timeout_ms = 1000};
    request.topic_data = arena_.array<ProduceRequest::TopicProduceData>(1);
    request.topic_data[0].name = topic;
    request.topic_data[0].partition_data =
        arena_.array<ProduceRequest::TopicProduceData::PartitionProduceData>(1);
    request.topic_data[0].partition_data[0].records =
        protocol::RecordsRef{.bytes = as_bytes(arena_.text(as_text(builder.build())))};
    return request;
  }
  static ErrorCode error_of(const ProduceResponse& response) {
    return response.responses[0].partition_responses[0].error_code;
  }
  protocol::OffsetCommitRequest commit_of(std::string_view topic) {
    using Commit = protocol::OffsetCommitRequest;
    Commit commit{.group_id = "readers"};
    commit.topics = arena_.array<Commit::OffsetCommitRequestTopic>(1);
    commit.topics[0].name = topic;
    commit.topics[0].partitions =
        arena_.array<Commit::OffsetCommitRequestTopic::OffsetCommitRequestPartition>(1);
    commit.topics[0].partitions[0].committed_offset = 7;
    return commit;
  }
  protocol::FindCoordinatorRequest find_group() {
    protocol::FindCoordinatorRequest request;
    request.coordinator_keys = arena_.array<std::string_view>(1);
    request.coordinator_keys[0] = "readers";
    return request;
  }
  IncrementalAlterConfigsRequest setting_of(std::string_view topic, std::string_view key,
                                            std::string_view value) {
    using Request = IncrementalAlterConfigsRequest;
    Request request;
    request.resources = arena_.array<Request::AlterConfigsResource>(1);
    request.resources[0] = {.resource_type = kTopic, .resource_name = topic};
    request.resources[0].configs = arena_.array<Request::AlterConfigsResource::AlterableConfig>(1);
    request.resources[0].configs[0] = {.name = key, .config_operation = 0, .value = value};
    return request;
  }

  std::unique_ptr<testing::TestBroker> broker;

 private:
  int topics_ = 0;
};

TEST_F(PipeliningTest, ATopicIsThereForTheRequestBehindItsCreation) {
  ASSERT_EQ(
      broker->ask<protocol::FindCoordinatorResponse>(find_group(), 4, arena_).coordinators[0].error_code,
      ErrorCode::kNone);
  for (int round = 0; round < kRounds; ++round) {
    auto topic = fresh_name();
    const auto metadata = in_one_piece<protocol::CreateTopicsResponse, MetadataResponse>(
        creation_of(topic, 3), 7, metadata_of(topic), 12);
    EXPECT_EQ(metadata.first.topics[0].error_code, ErrorCode::kNone);
    EXPECT_EQ(metadata.second.topics[0].partitions.size(), 3);

    topic = fresh_name();
    const auto produced = in_one_piece<protocol::CreateTopicsResponse, ProduceResponse>(
        creation_of(topic, 1), 7, produce_to(topic), 12);
    EXPECT_EQ(error_of(produced.second), ErrorCode::kNone);

    topic = fresh_name();
    const auto committed = in_one_piece<protocol::CreateTopicsResponse, protocol::OffsetCommitResponse>(
        creation_of(topic, 1), 7, commit_of(topic), 9);
    EXPECT_EQ(committed.second.topics[0].partitions[0].error_code, ErrorCode::kNone);

    topic = fresh_name();
    const auto automatic =
        in_one_piece<MetadataResponse, ProduceResponse>(metadata_of(topic, true), 12, produce_to(topic), 12);
    EXPECT_EQ(error_of(automatic.second), ErrorCode::kNone);
  }
}

TEST_F(PipeliningTest, ATopicIsGoneForTheRequestBehindItsDeletion) {
  for (int round = 0; round < kRounds; ++round) {
    const auto topic = created_topic();
    protocol::DeleteTopicsRequest deletion;
    deletion.topics = arena_.array<protocol::DeleteTopicsRequest::DeleteTopicState>(1);
    deletion.topics[0].name = topic;
    const auto answers =
        in_one_piece<protocol::DeleteTopicsResponse, MetadataResponse>(deletion, 6, metadata_of(topic), 12);
    EXPECT_EQ(answers.first.responses[0].error_code, ErrorCode::kNone);
    EXPECT_EQ(answers.second.topics[0].error_code, ErrorCode::kUnknownTopicOrPartition);
  }
}

TEST_F(PipeliningTest, PartitionsAreThereForTheRequestBehindTheirCreation) {
  for (int round = 0; round < kRounds; ++round) {
    const auto topic = created_topic();
    protocol::CreatePartitionsRequest growth;
    growth.topics = arena_.array<protocol::CreatePartitionsRequest::CreatePartitionsTopic>(1);
    growth.topics[0] = {.name = topic, .count = 4};
    const auto answers =
        in_one_piece<protocol::CreatePartitionsResponse, MetadataResponse>(growth, 3, metadata_of(topic), 12);
    EXPECT_EQ(answers.second.topics[0].partitions.size(), 4);
  }
}

TEST_F(PipeliningTest, ASettingIsInForceForTheRequestBehindItsChange) {
  using Config = DescribeConfigsResponse::DescribeConfigsResult::DescribeConfigsResourceResult;
  for (int round = 0; round < kRounds; ++round) {
    auto topic = created_topic();
    DescribeConfigsRequest describe;
    describe.resources = arena_.array<DescribeConfigsRequest::DescribeConfigsResource>(1);
    describe.resources[0] = {.resource_type = kTopic, .resource_name = topic};
    const auto described = in_one_piece<IncrementalAlterConfigsResponse, DescribeConfigsResponse>(
        setting_of(topic, "retention.ms", "4711"), 1, describe, 4);
    const auto& configs = described.second.results[0].configs;
    const auto retention = std::ranges::find(configs, "retention.ms", &Config::name);
    ASSERT_NE(retention, configs.end());
    EXPECT_EQ(retention->value, "4711");

    topic = created_topic();
    const auto produced = in_one_piece<IncrementalAlterConfigsResponse, ProduceResponse>(
        setting_of(topic, "max.message.bytes", "100"), 1, produce_to(topic, 500), 12);
    EXPECT_EQ(error_of(produced.second), ErrorCode::kMessageTooLarge);
  }
}

// The partition of the group's offsets has to be on the transaction's list, on disk, before the offsets are
// appended; the transaction must not end meanwhile.
TEST_F(PipeliningTest, ATransactionEndsAfterTheOffsetsThatWereSentBeforeItsEnd) {
  broker = std::make_unique<testing::TestBroker>(root_ + "/fsync",
                                                 std::vector<std::string>{"milena.durability=fsync"});
  const auto topic = created_topic();
  auto find = find_group();
  broker->ask<protocol::FindCoordinatorResponse>(find, 4, arena_);
  find.key_type = 1;
  broker->ask<protocol::FindCoordinatorResponse>(find, 4, arena_);
  const auto writer = broker->ask<protocol::InitProducerIdResponse>(
      protocol::InitProducerIdRequest{.transactional_id = "readers", .transaction_timeout_ms = 60'000}, 4,
      arena_);
  ASSERT_EQ(writer.error_code, ErrorCode::kNone);
  using Commit = protocol::TxnOffsetCommitRequest;
  Commit commit{.transactional_id = "readers",
                .group_id = "readers",
                .producer_id = writer.producer_id,
                .producer_epoch = writer.producer_epoch};
  commit.topics = arena_.array<Commit::TxnOffsetCommitRequestTopic>(1);
  commit.topics[0].name = topic;
  commit.topics[0].partitions =
      arena_.array<Commit::TxnOffsetCommitRequestTopic::TxnOffsetCommitRequestPartition>(1);
  commit.topics[0].partitions[0].committed_offset = 7;
  const protocol::EndTxnRequest end{.transactional_id = "readers",
                                    .producer_id = writer.producer_id,
                                    .producer_epoch = writer.producer_epoch,
                                    .committed = true};
  const auto answers =
      in_one_piece<protocol::TxnOffsetCommitResponse, protocol::EndTxnResponse>(commit, 5, end, 5);
  EXPECT_EQ(answers.first.topics[0].partitions[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(answers.second.error_code, ErrorCode::kNone);
}

TEST_F(PipeliningTest, ACoordinatorIsThereForTheRequestBehindItsLookUp) {
  const auto topic = created_topic();
  const auto answers = in_one_piece<protocol::FindCoordinatorResponse, protocol::OffsetCommitResponse>(
      find_group(), 4, commit_of(topic), 9);
  EXPECT_EQ(answers.second.topics[0].partitions[0].error_code, ErrorCode::kNone);
}

}  // namespace
}  // namespace milena::broker
