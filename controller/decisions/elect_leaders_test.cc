#include "controller/decisions/elect_leaders.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "controller/testing/controller_rig.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;
using test_support::list_of;
using Request = protocol::ElectLeadersRequest;
using Response = protocol::ElectLeadersResponse;
using Named = Request::TopicPartitions;

constexpr std::int8_t kPreferred = 0;
constexpr std::int8_t kUnclean = 1;

class ElectLeadersTest : public ::testing::Test {
 protected:
  ElectLeadersTest() {
    rig_.add_broker(1);
    rig_.add_broker(2);
    rig_.create_topic("t", 2, 2);
    preferred_ = partition().leader();
    other_ = preferred_ == BrokerId(1) ? BrokerId(2) : BrokerId(1);
  }

  Response elect(const Request& request) {
    return rig_.commit(rig_.controller.elect_leaders(request, rig_.arena));
  }
  Request request_for(std::int8_t type, std::initializer_list<PartitionId> partitions,
                      std::string_view topic = "t") {
    const Named named{.topic = topic, .partitions = list_of<PartitionId>(rig_.arena, partitions)};
    return {.election_type = type, .topic_partitions = list_of<Named>(rig_.arena, {named})};
  }
  // The one result.
  Response::ReplicaElectionResult::PartitionResult elect(std::int8_t type, PartitionId index = 0,
                                                         std::string_view topic = "t") {
    return elect(request_for(type, {index}, topic)).replica_election_results[0].partition_result[0];
  }
  const Partition& partition() const { return *rig_.image().topic("t")->partition(0); }
  // A follower has caught up.
  void join_isr() {
    auto isr = list_of<BrokerId>(rig_.arena, {preferred_, other_});
    const MetadataRecord record{
        .body =
            protocol::PartitionChangeRecord{
                .partition_id = 0, .topic_id = rig_.image().topic("t")->id, .isr = isr},
        .version = partition_record_version(rig_.image().metadata_version())};
    rig_.commit(std::span(&record, 1));
  }

  ControllerRig rig_;
  BrokerId preferred_, other_;
};

TEST_F(ElectLeadersTest, ALeaderThatIsTheWantedOneNeedsNoElection) {
  for (const auto type : {kPreferred, kUnclean}) {
    const auto result = elect(type);
    EXPECT_EQ(result.error_code, ErrorCode::kElectionNotNeeded);
    EXPECT_EQ(result.error_message, error_message(ErrorCode::kElectionNotNeeded));
  }
}

TEST_F(ElectLeadersTest, WhatDoesNotExistIsUnknown) {
  EXPECT_EQ(elect(kPreferred, 9).error_code, ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(elect(kPreferred, 9).error_message, "No such partition as t-9");
  EXPECT_EQ(elect(kUnclean, 0, "nope").error_code, ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(elect(kUnclean, 0, "nope").error_message, "No such topic as nope");
  EXPECT_EQ(elect(kPreferred, -1).error_code, ErrorCode::kUnknownTopicOrPartition);
}

TEST_F(ElectLeadersTest, ThePreferredReplicaLeadsAgainOnceItIsInSync) {
  rig_.heartbeat(preferred_, true, false);
  ASSERT_EQ(partition().leader(), other_);
  EXPECT_EQ(elect(kPreferred).error_code, ErrorCode::kPreferredLeaderNotAvailable);
  rig_.unfence(preferred_);
  EXPECT_EQ(elect(kPreferred).error_code, ErrorCode::kPreferredLeaderNotAvailable);
  join_isr();
  const auto epoch = partition().leader_epoch();
  const auto result = elect(kPreferred);
  EXPECT_EQ(result.error_code, ErrorCode::kNone);
  EXPECT_EQ(result.error_message, std::nullopt);
  EXPECT_EQ(partition().leader(), preferred_);
  EXPECT_EQ(partition().leader_epoch(), epoch + 1);
  EXPECT_EQ(partition().isr().size(), 2u);
  EXPECT_EQ(elect(kPreferred).error_code, ErrorCode::kElectionNotNeeded);
}

TEST_F(ElectLeadersTest, AnUncleanElectionTakesWhoeverLivesAlthoughTheConfigurationForbidsIt) {
  rig_.heartbeat(other_, true, false);
  rig_.heartbeat(preferred_, true, false);
  ASSERT_FALSE(partition().has_leader());
  EXPECT_EQ(elect(kUnclean).error_code, ErrorCode::kEligibleLeadersNotAvailable);
  rig_.unfence(other_);
  ASSERT_FALSE(partition().has_leader());
  EXPECT_EQ(elect(kPreferred).error_code, ErrorCode::kPreferredLeaderNotAvailable);
  EXPECT_EQ(elect(kUnclean).error_code, ErrorCode::kNone);
  EXPECT_EQ(partition().leader(), other_);
  EXPECT_EQ(partition().isr().size(), 1u);
  EXPECT_EQ(partition().leader_recovery_state(), LeaderRecoveryState::kRecovering);
}

TEST_F(ElectLeadersTest, AllPartitionsAreTriedAndThoseThatNeedNoneAreLeftOut) {
  rig_.create_topic("u", 1, 1);
  auto response = elect(Request{.election_type = kPreferred, .topic_partitions = std::nullopt});
  ASSERT_EQ(response.replica_election_results.size(), 2u);
  for (const auto& topic : response.replica_election_results) EXPECT_TRUE(topic.partition_result.empty());

  rig_.heartbeat(preferred_, true, false);
  rig_.unfence(preferred_);
  join_isr();
  response = elect(Request{.election_type = kPreferred, .topic_partitions = std::nullopt});
  for (const auto& topic : response.replica_election_results) {
    for (const auto& result : topic.partition_result) {
      const bool is_healed = topic.topic == "t" && result.partition_id == PartitionId(0);
      EXPECT_EQ(result.error_code, is_healed ? ErrorCode::kNone : ErrorCode::kPreferredLeaderNotAvailable);
    }
  }
  EXPECT_EQ(partition().leader(), preferred_);
}

TEST_F(ElectLeadersTest, AnUnknownKindOfElectionFailsAsAWhole) {
  const auto response = elect(request_for(7, {0, 1}));
  EXPECT_EQ(response.error_code, ErrorCode::kInvalidRequest);
  ASSERT_EQ(response.replica_election_results[0].partition_result.size(), 2u);
  for (const auto& result : response.replica_election_results[0].partition_result) {
    EXPECT_EQ(result.error_code, ErrorCode::kInvalidRequest);
  }
  const auto of_all = elect(Request{.election_type = 7, .topic_partitions = std::nullopt});
  EXPECT_EQ(of_all.error_code, ErrorCode::kInvalidRequest);
  EXPECT_TRUE(of_all.replica_election_results.empty());
}

TEST_F(ElectLeadersTest, NothingIsElectedWhereNothingIsNamed) {
  const auto response = elect(Request{.election_type = kPreferred, .topic_partitions = std::span<Named>{}});
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  EXPECT_TRUE(response.replica_election_results.empty());
}

}  // namespace
}  // namespace milena::controller
