#include "broker/handlers/metadata.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "base/mem_fs.h"
#include "broker/testing/sim_client.h"
#include "protocol/create_topics.gen.h"
#include "protocol/delete_topics.gen.h"
#include "protocol/error_code.h"
#include "protocol/find_coordinator.gen.h"

namespace milena::broker {
namespace {

using protocol::MetadataRequest;
using protocol::MetadataResponse;
using testing::SimBroker;
using testing::SimClient;
using Asked = MetadataRequest::MetadataRequestTopic;

constexpr int kNewest = 13;

class MetadataHandlerTest : public ::testing::Test {
 protected:
  explicit MetadataHandlerTest(std::vector<std::string> settings = {})
      : broker_(runtime_, disk_, with_directory(std::move(settings))) {
    EXPECT_EQ(broker_.start(), "");
    client_.emplace(runtime_, broker_);
  }

  static std::vector<std::string> with_directory(std::vector<std::string> settings) {
    settings.emplace_back("log.dirs=/d");
    return settings;
  }

  MetadataResponse ask(const MetadataRequest& request, int version = kNewest) {
    const auto response = client_->ask<MetadataResponse>(request, version, arena_);
    EXPECT_TRUE(response) << "no answer";
    return response.value_or(MetadataResponse{});
  }
  MetadataRequest about(std::vector<std::string> names, bool creates = false) {
    MetadataRequest request{.topics = arena_.array<Asked>(names.size()),
                            .allow_auto_topic_creation = creates};
    for (std::size_t i = 0; i < names.size(); ++i) (*request.topics)[i].name = arena_.text(names[i]);
    return request;
  }
  MetadataResponse about_all(int version = kNewest) {
    MetadataRequest request{.topics = std::nullopt};
    if (version == 0) request.topics = std::span<Asked>{};
    return ask(request, version);
  }
  static std::set<std::string> names(const MetadataResponse& response) {
    std::set<std::string> out;
    for (const auto& topic : response.topics) out.emplace(topic.name.value_or(""));
    return out;
  }
  void create(const std::string& topic, std::int32_t partitions = 1) {
    protocol::CreateTopicsRequest request;
    request.topics = arena_.array<protocol::CreateTopicsRequest::CreatableTopic>(1);
    request.topics[0] = {.name = topic, .num_partitions = partitions, .replication_factor = 1};
    const auto created = client_->ask<protocol::CreateTopicsResponse>(request, 7, arena_);
    ASSERT_TRUE(created);
    ASSERT_EQ(created->topics[0].error_code, ErrorCode::kNone);
  }
  void remove(const std::string& topic) {
    protocol::DeleteTopicsRequest request;
    request.topics = arena_.array<protocol::DeleteTopicsRequest::DeleteTopicState>(1);
    request.topics[0].name = topic;
    const auto removed = client_->ask<protocol::DeleteTopicsResponse>(request, 6, arena_);
    ASSERT_TRUE(removed);
    ASSERT_EQ(removed->responses[0].error_code, ErrorCode::kNone);
  }

  SimRuntime runtime_{1};
  MemFs disk_;
  SimBroker broker_;
  std::optional<SimClient> client_;
  Arena arena_;
};

class MetadataWithoutCreationTest : public MetadataHandlerTest {
 protected:
  MetadataWithoutCreationTest() : MetadataHandlerTest({"auto.create.topics.enable=false"}) {}
};

TEST_F(MetadataHandlerTest, ATopicIsThereWhenItsCreationIsAnswered) {
  create("orders", 3);
  const auto response = ask(about({"orders"}));
  ASSERT_EQ(response.brokers.size(), 1u);
  EXPECT_EQ(response.controller_id, response.brokers[0].node_id);
  ASSERT_EQ(response.topics.size(), 1u);
  const auto& topic = response.topics[0];
  EXPECT_EQ(topic.error_code, ErrorCode::kNone);
  EXPECT_FALSE(topic.topic_id.is_zero());
  ASSERT_EQ(topic.partitions.size(), 3u);
  for (const auto& partition : topic.partitions) {
    EXPECT_EQ(partition.error_code, ErrorCode::kNone);
    EXPECT_EQ(partition.leader_id, response.brokers[0].node_id);
    EXPECT_TRUE(partition.offline_replicas.empty());
  }
}

TEST_F(MetadataHandlerTest, AMissingTopicIsCreatedOnlyForAClientThatAllowsIt) {
  EXPECT_EQ(ask(about({"orders"})).topics[0].error_code, ErrorCode::kUnknownTopicOrPartition);
  const auto created = ask(about({"orders"}, true));
  EXPECT_EQ(created.topics[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(created.topics[0].partitions.size(), 1u);
  EXPECT_EQ(names(about_all()), std::set<std::string>{"orders"});
}

TEST_F(MetadataHandlerTest, BeforeVersion4EveryClientAllowsIt) {
  EXPECT_EQ(ask(about({"orders"}), 3).topics[0].error_code, ErrorCode::kNone);
}

TEST_F(MetadataWithoutCreationTest, NothingIsCreatedWhereTheBrokerDoesNotAllowIt) {
  EXPECT_EQ(ask(about({"orders"}, true)).topics[0].error_code, ErrorCode::kUnknownTopicOrPartition);
  EXPECT_TRUE(about_all().topics.empty());
}

TEST_F(MetadataHandlerTest, WhatCannotBeCreatedHasItsReasonAndTheOthersExist) {
  const auto response = ask(about({"fine", "not/fine", "fine"}, true));
  ASSERT_EQ(response.topics.size(), 2u) << "each topic once";
  for (const auto& topic : response.topics) {
    EXPECT_EQ(topic.error_code, topic.name == "fine" ? ErrorCode::kNone : ErrorCode::kInvalidTopicException);
  }
  // Two names that are one to metrics: the controller refuses the second.
  EXPECT_EQ(ask(about({"a.b"}, true)).topics[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(ask(about({"a_b"}, true)).topics[0].error_code, ErrorCode::kInvalidTopicException);
}

TEST_F(MetadataHandlerTest, InternalTopicsAreCreatedAsTheirCoordinatorsNeedThem) {
  const auto response = ask(about({"__consumer_offsets"}, true));
  EXPECT_EQ(response.topics[0].error_code, ErrorCode::kNone);
  EXPECT_TRUE(response.topics[0].is_internal);
  EXPECT_EQ(response.topics[0].partitions.size(), 50u);
  // Share groups are not served: their topic is not made.
  EXPECT_EQ(ask(about({"__share_group_state"}, true)).topics[0].error_code,
            ErrorCode::kUnknownTopicOrPartition);
}

TEST_F(MetadataHandlerTest, TopicsAreAskedByIdFromVersion12On) {
  create("orders");
  const Uuid id = ask(about({"orders"})).topics[0].topic_id;
  auto request = about({"", ""});
  (*request.topics)[0] = {.topic_id = id, .name = std::nullopt};
  (*request.topics)[1] = {.topic_id = Uuid::from_halves(7, 7), .name = std::nullopt};
  const auto response = ask(request, 12);
  ASSERT_EQ(response.topics.size(), 2u);
  EXPECT_EQ(response.topics[0].name, "orders");
  EXPECT_EQ(response.topics[1].error_code, ErrorCode::kUnknownTopicId);
  auto early = about({"orders"});
  (*early.topics)[0].topic_id = id;
  EXPECT_EQ(ask(early, 11).topics[0].error_code, ErrorCode::kInvalidRequest);
}

TEST_F(MetadataHandlerTest, AnswersAboutAllTopicsFollowEveryChange) {
  create("many", 400);  // an answer that is large enough to be kept
  const auto first = about_all();
  EXPECT_EQ(names(first), std::set<std::string>{"many"});
  const auto again = about_all();
  EXPECT_EQ(names(again), names(first));
  EXPECT_EQ(again.topics[0].partitions.size(), 400u);
  create("more");
  EXPECT_EQ(names(about_all()), (std::set<std::string>{"many", "more"}));
  remove("more");
  EXPECT_EQ(names(about_all()), std::set<std::string>{"many"});
  EXPECT_EQ(names(about_all(0)), std::set<std::string>{"many"})
      << "an empty array is all topics in version 0";
  EXPECT_TRUE(ask(about({})).topics.empty()) << "and none later";
}

TEST_F(MetadataHandlerTest, AnswersAboutAllTopicsAreKeptForThoseWhoAskAlike) {
  create("many", 400);
  MetadataRequest with_operations{.topics = std::nullopt, .include_topic_authorized_operations = true};
  const auto plain = about_all();
  const auto detailed = ask(with_operations);
  EXPECT_NE(plain.topics[0].topic_authorized_operations, detailed.topics[0].topic_authorized_operations);
  EXPECT_EQ(about_all().topics[0].topic_authorized_operations, plain.topics[0].topic_authorized_operations);
  EXPECT_EQ(about_all(5).topics.size(), 1u);
}

TEST_F(MetadataHandlerTest, WhoCreatesATopicHearsNothingWhenItCannotBeCommitted) {
  create("before");
  disk_.fail({.call = "pwritev", .code = ENOSPC, .for_good = true, .path_part = "__cluster_metadata-0"});
  client_->send(about({"orders"}, true), kNewest);
  EXPECT_FALSE(client_->receive());
  EXPECT_TRUE(client_->is_closed());
  client_.emplace(runtime_, broker_);
  EXPECT_EQ(names(about_all()), std::set<std::string>{"before"}) << "reading goes on";
  disk_.clear_faults();
  EXPECT_EQ(ask(about({"orders"}, true)).topics[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(names(about_all()), (std::set<std::string>{"before", "orders"}));
}

TEST_F(MetadataHandlerTest, WhatAFirstCoordinatorNeedsIsCreatedBeforeItIsNamed) {
  protocol::FindCoordinatorRequest request{.key_type = 0};
  request.coordinator_keys = arena_.array<std::string_view>(1);
  request.coordinator_keys[0] = "readers";
  const auto found = client_->ask<protocol::FindCoordinatorResponse>(request, 4, arena_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->coordinators[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(found->coordinators[0].node_id, about_all().brokers[0].node_id);
  EXPECT_EQ(names(about_all()), std::set<std::string>{"__consumer_offsets"});
}

TEST_F(MetadataHandlerTest, WhatWasAnsweredSurvivesAPowerCut) {
  create("orders", 2);
  const Uuid id = ask(about({"orders"})).topics[0].topic_id;
  client_.reset();
  broker_.crash(MemFs::Loss::kUnsynced);
  ASSERT_EQ(broker_.start(), "");
  client_.emplace(runtime_, broker_);
  const auto response = ask(about({"orders"}));
  EXPECT_EQ(response.topics[0].topic_id, id);
  EXPECT_EQ(response.topics[0].partitions.size(), 2u);
}

}  // namespace
}  // namespace milena::broker
