#include "controller/decisions/assign_directories.h"

#include <gtest/gtest.h>

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/testing/controller_rig.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;
using test_support::list_of;
using Ids = std::vector<BrokerId>;
using Request = protocol::AssignReplicasToDirsRequest;
using RequestTopic = Request::DirectoryData::TopicData;
using RequestPartition = RequestTopic::PartitionData;

const Uuid kDirA = Uuid::from_halves(0xd1, 0xa);
const Uuid kDirB = Uuid::from_halves(0xd1, 0xb);
const Uuid kDirC = Uuid::from_halves(0xd1, 0xc);
const Uuid kForeign = Uuid::from_halves(0xd1, 0xf);  // registered by nobody
const std::vector<Uuid> kAB{kDirA, kDirB};

const FeatureLevels kWithElr{{"metadata.version", 30}, {"eligible.leader.replicas.version", 1}};

Ids ids(std::span<const BrokerId> list) { return {list.begin(), list.end()}; }

void add_broker(ControllerRig& rig, BrokerId id, const std::vector<Uuid>& directories) {
  rig.register_broker(id, "", -1, directories);
  rig.unfence(id);
}

const Partition& partition(const ControllerRig& rig, PartitionId index = 0) {
  return *rig.image().topic("t")->partition(index);
}

RequestTopic topic_of(ControllerRig& rig, const Uuid& id, std::initializer_list<PartitionId> indexes) {
  RequestTopic topic{.topic_id = id, .partitions = rig.arena.array<RequestPartition>(indexes.size())};
  std::size_t next = 0;
  for (const PartitionId index : indexes) topic.partitions[next++].partition_index = index;
  return topic;
}

Request request_of(ControllerRig& rig, std::initializer_list<Request::DirectoryData> directories) {
  return {.broker_id = 1,
          .broker_epoch = rig.image().broker(1)->epoch,
          .directories = list_of<Request::DirectoryData>(rig.arena, directories)};
}

TEST(AssignDirectories, TheReplicasDirectoryIsRecorded) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 1, 1);
  ASSERT_EQ(partition(rig).directory_of(1), kUnassignedDirectory);
  EXPECT_EQ(rig.assign_directory(1, "t", 0, kDirB), ErrorCode::kNone);
  EXPECT_EQ(partition(rig).directory_of(1), kDirB);
  EXPECT_EQ(partition(rig).leader(), BrokerId(1));
  EXPECT_EQ(partition(rig).leader_epoch(), LeaderEpoch(0));  // nothing else changes
  EXPECT_EQ(partition(rig).partition_epoch(), 1);
  EXPECT_EQ(rig.assign_directory(1, "t", 0, kDirA), ErrorCode::kNone);
  EXPECT_EQ(partition(rig).directory_of(1), kDirA);
}

TEST(AssignDirectories, TheSameDirectoryAgainChangesNothing) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 1, 1);
  rig.assign_directory(1, "t", 0, kDirB);
  const auto request = request_of(
      rig, {{.id = kDirB,
             .topics = list_of<RequestTopic>(rig.arena, {topic_of(rig, rig.image().topic("t")->id, {0})})}});
  const auto outcome = rig.controller.assign_directories(request, rig.arena);
  EXPECT_EQ(outcome.response.directories[0].topics[0].partitions[0].error_code, ErrorCode::kNone);
  EXPECT_TRUE(outcome.records.empty());
}

TEST(AssignDirectories, OnlyTheReplicaOfTheBrokerMoves) {
  ControllerRig rig;
  add_broker(rig, 2, {kDirC});
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 4, 2);
  for (std::int32_t index = 0; index < 4; ++index) {
    EXPECT_EQ(rig.assign_directory(1, "t", index, kDirA), ErrorCode::kNone);
    EXPECT_EQ(partition(rig, index).directory_of(1), kDirA);
    EXPECT_EQ(partition(rig, index).directory_of(2), kDirC);
  }
}

TEST(AssignDirectories, EachPartitionHasItsOwnAnswer) {
  ControllerRig rig;
  add_broker(rig, 2, {kDirC});
  rig.create_topic("others", 1, 1);
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 2, 2);
  const Uuid unknown = Uuid::from_halves(7, 7);
  const Uuid t = rig.image().topic("t")->id, others = rig.image().topic("others")->id;
  const auto request = request_of(
      rig,
      {{.id = kDirA,
        .topics = list_of<RequestTopic>(
            rig.arena, {topic_of(rig, unknown, {0, 1}), topic_of(rig, t, {9, 1, -1}), topic_of(rig, t, {})})},
       {.id = kDirB, .topics = list_of<RequestTopic>(rig.arena, {topic_of(rig, others, {0})})},
       {.id = kForeign}});
  const auto response = rig.commit(rig.controller.assign_directories(request, rig.arena));
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  ASSERT_EQ(response.directories.size(), 3u);
  const auto& first = response.directories[0];
  EXPECT_EQ(first.id, kDirA);
  ASSERT_EQ(first.topics.size(), 3u);
  EXPECT_EQ(first.topics[0].topic_id, unknown);
  ASSERT_EQ(first.topics[0].partitions.size(), 2u);
  EXPECT_EQ(first.topics[0].partitions[0].error_code, ErrorCode::kUnknownTopicId);
  EXPECT_EQ(first.topics[0].partitions[1].error_code, ErrorCode::kUnknownTopicId);
  EXPECT_EQ(first.topics[0].partitions[1].partition_index, PartitionId(1));
  ASSERT_EQ(first.topics[1].partitions.size(), 3u);
  EXPECT_EQ(first.topics[1].partitions[0].error_code, ErrorCode::kUnknownTopicOrPartition);
  EXPECT_EQ(first.topics[1].partitions[1].error_code, ErrorCode::kNone);
  EXPECT_EQ(first.topics[1].partitions[2].error_code, ErrorCode::kUnknownTopicOrPartition);
  EXPECT_TRUE(first.topics[2].partitions.empty());
  EXPECT_EQ(response.directories[1].topics[0].partitions[0].error_code, ErrorCode::kNotLeaderOrFollower);
  EXPECT_TRUE(response.directories[2].topics.empty());
  EXPECT_EQ(partition(rig, 1).directory_of(1), kDirA);
  EXPECT_EQ(partition(rig, 0).directory_of(1), kUnassignedDirectory);
}

TEST(AssignDirectories, OnlyTheRegisteredIncarnationIsHeard) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 1, 1);
  const auto topics = list_of<RequestTopic>(rig.arena, {topic_of(rig, rig.image().topic("t")->id, {0})});
  Request request = request_of(rig, {{.id = kDirA, .topics = topics}});
  for (const auto& [id, epoch] : {std::pair<BrokerId, std::int64_t>{1, request.broker_epoch - 1},
                                  {1, request.broker_epoch + 1},
                                  {1, -1},
                                  {2, request.broker_epoch}}) {
    Request stale = request;
    stale.broker_id = id;
    stale.broker_epoch = epoch;
    const auto outcome = rig.controller.assign_directories(stale, rig.arena);
    EXPECT_EQ(outcome.response.error_code, ErrorCode::kStaleBrokerEpoch);
    EXPECT_TRUE(outcome.response.directories.empty());
    EXPECT_TRUE(outcome.records.empty());
  }
}

TEST(AssignDirectories, ItNeedsAMetadataVersionWithDirectories) {
  ControllerRig rig(test_support::rig_settings(), {{"metadata.version", kMetadataVersion37Iv2 - 1}});
  rig.add_broker(1);
  const auto outcome = rig.controller.assign_directories(request_of(rig, {}), rig.arena);
  EXPECT_EQ(outcome.response.error_code, ErrorCode::kUnsupportedVersion);
}

TEST(AssignDirectories, AReplicaInAnOfflineDirectoryLeadsNothing) {
  for (const Uuid& offline : {kForeign, kLostDirectory, kDirC}) {  // C is another broker's
    ControllerRig rig;
    add_broker(rig, 1, kAB);
    rig.create_topic("t", 1, 1);
    add_broker(rig, 2, {kDirC});
    EXPECT_EQ(rig.assign_directory(1, "t", 0, offline), ErrorCode::kNone);
    EXPECT_EQ(partition(rig).directory_of(1), offline);
    EXPECT_FALSE(partition(rig).has_leader());
    EXPECT_EQ(ids(partition(rig).isr()), Ids{1});
    EXPECT_EQ(partition(rig).leader_epoch(), LeaderEpoch(1));
  }
}

TEST(AssignDirectories, AnotherReplicaTakesOver) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  add_broker(rig, 2, {kDirC});
  rig.create_topic("t", 4, 2);
  for (std::int32_t index = 0; index < 4; ++index) {
    rig.assign_directory(1, "t", index, kForeign);
    EXPECT_EQ(partition(rig, index).leader(), BrokerId(2));
    EXPECT_EQ(ids(partition(rig, index).isr()), Ids{2});
  }
}

TEST(AssignDirectories, WithElrAnOfflineReplicaBecomesEligible) {
  ControllerRig rig(test_support::rig_settings(), kWithElr);
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 1, 1);
  rig.assign_directory(1, "t", 0, kForeign);
  EXPECT_FALSE(partition(rig).has_leader());
  EXPECT_TRUE(partition(rig).isr().empty());
  EXPECT_EQ(ids(partition(rig).elr()), Ids{1});
  EXPECT_EQ(ids(partition(rig).last_known_elr()), Ids{1});
}

// As when an operator moved the replica from a disk that died to another one.
TEST(AssignDirectories, AReplicaThatComesToAnOnlineDirectoryLeadsAgain) {
  for (const auto& features : {FeatureLevels{{"metadata.version", 30}}, kWithElr}) {
    ControllerRig rig(test_support::rig_settings(), features);
    add_broker(rig, 1, kAB);
    rig.create_topic("t", 1, 1);
    rig.assign_directory(1, "t", 0, kDirA);
    rig.fail_directories(1, {kDirA});
    ASSERT_FALSE(partition(rig).has_leader());
    rig.assign_directory(1, "t", 0, kDirB);
    EXPECT_EQ(partition(rig).leader(), BrokerId(1));
    EXPECT_EQ(ids(partition(rig).isr()), Ids{1});
    EXPECT_TRUE(partition(rig).elr().empty());
    EXPECT_EQ(partition(rig).leader_recovery_state(), LeaderRecoveryState::kRecovered);
  }
}

TEST(AssignDirectories, AFencedBrokerMayAssignAndIsElectedWhenItIsUnfenced) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 1, 1);
  rig.assign_directory(1, "t", 0, kDirA);
  rig.now_ms += 9'000;
  rig.register_broker(1, "", -1, std::vector<Uuid>{kDirB});
  EXPECT_EQ(rig.assign_directory(1, "t", 0, kDirB), ErrorCode::kNone);
  EXPECT_FALSE(partition(rig).has_leader());
  rig.unfence(1);
  EXPECT_EQ(partition(rig).leader(), BrokerId(1));
}

TEST(AssignDirectories, UncleanElectionOnlyWhenAReplicaGoesOffline) {
  ControllerSettings settings = test_support::rig_settings();
  settings.static_config["unclean.leader.election.enable"] = "true";
  ControllerRig rig(settings);
  add_broker(rig, 1, kAB);
  add_broker(rig, 2, {kDirC});
  rig.create_topic("t", 1, 2);
  rig.heartbeat(2, true, false);
  ASSERT_EQ(ids(partition(rig).isr()), Ids{1});
  rig.unfence(2);  // active, but out of the ISR
  rig.assign_directory(1, "t", 0, kDirA);
  EXPECT_EQ(partition(rig).leader(), BrokerId(1));
  rig.assign_directory(1, "t", 0, kForeign);
  EXPECT_EQ(partition(rig).leader(), BrokerId(2));
  EXPECT_EQ(partition(rig).leader_recovery_state(), LeaderRecoveryState::kRecovering);
}

void allow_unclean_elections(ControllerRig& rig, std::string_view topic) {
  using Alter = protocol::IncrementalAlterConfigsRequest;
  using Resource = Alter::AlterConfigsResource;
  const auto configs = list_of<Resource::AlterableConfig>(
      rig.arena, {{.name = "unclean.leader.election.enable", .config_operation = 0, .value = "true"}});
  const Alter request{.resources = list_of<Resource>(
                          rig.arena, {{.resource_type = 2, .resource_name = topic, .configs = configs}})};
  const auto response = rig.commit(rig.controller.incremental_alter_configs(request, {}, rig.arena));
  ASSERT_EQ(response.responses[0].error_code, ErrorCode::kNone);
}

TEST(AssignDirectories, AReplicaInAnOnlineDirectoryIsNoReasonForAnUncleanElection) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  add_broker(rig, 2, {kDirC});
  rig.create_topic("t", 1, 2);
  rig.heartbeat(2, true, false);
  rig.heartbeat(1, true, false);
  rig.unfence(2);
  allow_unclean_elections(rig, "t");
  ASSERT_FALSE(partition(rig).has_leader());
  rig.assign_directory(1, "t", 0, kDirA);
  EXPECT_FALSE(partition(rig).has_leader());
  EXPECT_EQ(ids(partition(rig).isr()), Ids{1});
}

TEST(AssignDirectories, OfAPartitionListedTwiceTheLastDirectoryCounts) {
  for (const bool online_last : {true, false}) {
    ControllerRig rig;
    add_broker(rig, 1, kAB);
    rig.create_topic("t", 1, 1);
    rig.assign_directory(1, "t", 0, kLostDirectory);
    const auto topics = list_of<RequestTopic>(rig.arena, {topic_of(rig, rig.image().topic("t")->id, {0})});
    const Request request = request_of(rig, {{.id = online_last ? kForeign : kDirB, .topics = topics},
                                             {.id = online_last ? kDirB : kForeign, .topics = topics}});
    const auto outcome = rig.controller.assign_directories(request, rig.arena);
    EXPECT_EQ(outcome.records.size(), 1u);
    rig.commit(outcome);
    EXPECT_EQ(partition(rig).directory_of(1), online_last ? kDirB : kForeign);
    EXPECT_EQ(partition(rig).has_leader(), online_last);
  }
}

TEST(AssignDirectories, MoreThanABatchHoldsIsWrittenInSeveral) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 9'000, 1);
  rig.create_topic("u", 9'000, 1);
  const auto all = [&](std::string_view name) {
    RequestTopic topic{.topic_id = rig.image().topic(name)->id,
                       .partitions = rig.arena.array<RequestPartition>(9'000)};
    for (std::int32_t i = 0; i < 9'000; ++i)
      topic.partitions[static_cast<std::size_t>(i)].partition_index = i;
    return topic;
  };
  const Request request =
      request_of(rig, {{.id = kDirA, .topics = list_of<RequestTopic>(rig.arena, {all("t"), all("u")})}});
  rig.commit(rig.controller.assign_directories(request, rig.arena));
  for (const std::string_view name : {"t", "u"}) {
    for (const auto& [index, at] : rig.image().topic(name)->partitions) {
      ASSERT_EQ(at->directory_of(1), kDirA);
    }
  }
}

}  // namespace
}  // namespace milena::controller
