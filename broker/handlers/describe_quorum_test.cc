#include "broker/handlers/describe_quorum.h"

#include <gtest/gtest.h>

#include <vector>

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::BrokerId;
using protocol::LeaderEpoch;
using protocol::Offset;
using Request = protocol::DescribeQuorumRequest;
using Asked = Request::TopicData::PartitionData;

const Uuid kDirectory = Uuid::from_halves(1, 7);

controller::QuorumView seen_by_leader() {
  return {
      .is_leader = true,
      .leader = 1,
      .epoch = 3,
      .high_watermark = 40,
      .voters = {{.key = {1, kDirectory}, .log_end_offset = 42, .last_fetch_ms = 9, .last_caught_up_ms = 8}},
      .nodes = {{.key = {1, kDirectory}, .endpoints = {{"CONTROLLER", "127.0.0.1", 19093}}}}};
}

struct DescribeQuorumTest : ::testing::Test {
  protocol::DescribeQuorumResponse ask(std::string_view topic, std::vector<Asked> partitions,
                                       const controller::QuorumView& view) {
    asked_ = std::move(partitions);
    topic_ = {.topic_name = topic, .partitions = asked_};
    return describe_quorum({.topics = {&topic_, 1}}, view, arena_);
  }
  ErrorCode error(std::string_view topic, std::vector<Asked> partitions,
                  const controller::QuorumView& view = seen_by_leader()) {
    return ask(topic, std::move(partitions), view).topics[0].partitions[0].error_code;
  }

  Arena arena_;
  std::vector<Asked> asked_;
  Request::TopicData topic_;
};

TEST_F(DescribeQuorumTest, TheLeaderTellsWhatItSees) {
  const auto view = seen_by_leader();
  const auto response = ask("__cluster_metadata", {{.partition_index = 0}}, view);
  const auto& quorum = response.topics[0].partitions[0];
  EXPECT_EQ(quorum.error_code, ErrorCode::kNone);
  EXPECT_EQ(quorum.leader_id, BrokerId(1));
  EXPECT_EQ(quorum.leader_epoch, LeaderEpoch(3));
  EXPECT_EQ(quorum.high_watermark, Offset(40));
  ASSERT_EQ(quorum.current_voters.size(), 1u);
  EXPECT_EQ(quorum.current_voters[0].replica_directory_id, kDirectory);
  EXPECT_EQ(quorum.current_voters[0].log_end_offset, Offset(42));
  EXPECT_EQ(quorum.current_voters[0].last_fetch_timestamp, 9);
  EXPECT_EQ(quorum.current_voters[0].last_caught_up_timestamp, 8);
  ASSERT_EQ(response.nodes.size(), 1u);
  EXPECT_EQ(response.nodes[0].node_id, BrokerId(1));
  EXPECT_EQ(response.nodes[0].listeners[0].name, "CONTROLLER");
  EXPECT_EQ(response.nodes[0].listeners[0].port, 19093);
}

TEST_F(DescribeQuorumTest, OnlyTheMetadataLogHasAQuorum) {
  EXPECT_EQ(error("__cluster_metadata", {{.partition_index = 0}}), ErrorCode::kNone);
  EXPECT_EQ(error("__cluster_metadata", {{.partition_index = 1}}), ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(error("__cluster_metadata", {{.partition_index = 0}, {.partition_index = 1}}),
            ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(error("orders", {{.partition_index = 0}}), ErrorCode::kUnknownTopicOrPartition);
}

TEST_F(DescribeQuorumTest, AReplicaThatDoesNotLeadSaysSo) {
  controller::QuorumView view = seen_by_leader();
  view.is_leader = false;
  EXPECT_EQ(error("__cluster_metadata", {{.partition_index = 0}}, view), ErrorCode::kNotLeaderOrFollower);
}

}  // namespace
}  // namespace milena::broker
