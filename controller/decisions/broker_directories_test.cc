// Log directories that fail, come back or are cordoned: what becomes of leaders, in-sync replicas and
// placement.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "controller/decisions/brokers.h"
#include "controller/testing/controller_rig.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;
using test_support::list_of;
using Ids = std::vector<BrokerId>;

const Uuid kDirA = Uuid::from_halves(0xd1, 0xa);
const Uuid kDirB = Uuid::from_halves(0xd1, 0xb);
const Uuid kDirC = Uuid::from_halves(0xd1, 0xc);
const std::vector<Uuid> kAB{kDirA, kDirB};

const FeatureLevels kWithElr{{"metadata.version", 30}, {"eligible.leader.replicas.version", 1}};
const FeatureLevels kBeforeDirectories{{"metadata.version", kMetadataVersion37Iv2 - 1}};

Ids ids(std::span<const BrokerId> list) { return {list.begin(), list.end()}; }

void add_broker(ControllerRig& rig, BrokerId id, const std::vector<Uuid>& directories) {
  rig.register_broker(id, "", -1, directories);
  rig.unfence(id);
}

const Partition& partition(const ControllerRig& rig, PartitionId index = 0) {
  return *rig.image().topic("t")->partition(index);
}

// One broker with the directories A and B, and a topic with a partition in each: 0 in A, 1 in B.
void one_broker_with_two_partitions(ControllerRig& rig) {
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 2, 1);
  rig.assign_directory(1, "t", 0, kDirA);
  rig.assign_directory(1, "t", 1, kDirB);
}

protocol::BrokerHeartbeatRequest heartbeat_of(const ControllerRig& rig, BrokerId id) {
  return {.broker_id = id,
          .broker_epoch = rig.image().broker(id)->epoch,
          .current_metadata_offset = rig.image().provenance.offset};
}

TEST(BrokerDirectories, AFailedDirectoryTakesItsPartitionsOfflineAndNoOthers) {
  ControllerRig rig;
  one_broker_with_two_partitions(rig);
  rig.fail_directories(1, {kDirA});
  EXPECT_FALSE(partition(rig, 0).has_leader());
  EXPECT_EQ(ids(partition(rig, 0).isr()), Ids{1});  // the last member stays
  EXPECT_EQ(partition(rig, 0).leader_epoch(), LeaderEpoch(1));
  EXPECT_EQ(partition(rig, 0).directory_of(1), kDirA);
  EXPECT_EQ(partition(rig, 1).leader(), BrokerId(1));
  EXPECT_EQ(partition(rig, 1).leader_epoch(), LeaderEpoch(0));
  EXPECT_EQ(rig.image().broker(1)->log_dirs, std::vector<Uuid>{kDirB});
  EXPECT_FALSE(rig.image().broker(1)->fenced);
}

TEST(BrokerDirectories, AnUnassignedReplicaStaysWhenADirectoryFails) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 1, 1);
  rig.fail_directories(1, {kDirA});
  EXPECT_EQ(partition(rig).leader(), BrokerId(1));
}

TEST(BrokerDirectories, AnotherReplicaTakesOver) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  rig.create_topic("other", 1, 1);
  add_broker(rig, 2, {kDirC});
  rig.create_topic("t", 4, 2);
  for (std::int32_t index = 0; index < 4; ++index) {
    EXPECT_EQ(rig.assign_directory(1, "t", index, index < 2 ? kDirA : kDirB), ErrorCode::kNone);
  }
  rig.fail_directories(1, {kDirA});
  for (std::int32_t index = 0; index < 4; ++index) {
    EXPECT_EQ(partition(rig, index).in_isr(1), index >= 2) << index;
    EXPECT_TRUE(partition(rig, index).in_isr(2)) << index;
    if (index < 2) EXPECT_EQ(partition(rig, index).leader(), BrokerId(2)) << index;
    EXPECT_TRUE(partition(rig, index).has_leader()) << index;
  }
}

// As Apache Kafka has it for every member that leaves the ISR: Isr [], Leader -1, Elr [1], LastKnownElr [1].
TEST(BrokerDirectories, WithElrTheReplicaOfAFailedDirectoryBecomesEligible) {
  ControllerRig rig(test_support::rig_settings(), kWithElr);
  one_broker_with_two_partitions(rig);
  rig.fail_directories(1, {kDirA});
  EXPECT_FALSE(partition(rig, 0).has_leader());
  EXPECT_TRUE(partition(rig, 0).isr().empty());
  EXPECT_EQ(ids(partition(rig, 0).elr()), Ids{1});
  EXPECT_EQ(ids(partition(rig, 0).last_known_elr()), Ids{1});
}

TEST(BrokerDirectories, UncleanElectionNeverTakesTheFailedDirectory) {
  ControllerSettings settings = test_support::rig_settings();
  settings.static_config["unclean.leader.election.enable"] = "true";
  ControllerRig rig(settings);
  one_broker_with_two_partitions(rig);
  rig.fail_directories(1, {kDirA});
  EXPECT_FALSE(partition(rig, 0).has_leader());
}

TEST(BrokerDirectories, FailuresAreRecordedOnceLeadershipsFirst) {
  ControllerRig rig;
  one_broker_with_two_partitions(rig);
  auto request = heartbeat_of(rig, 1);
  request.offline_log_dirs = list_of<Uuid>(rig.arena, {kDirC, kDirA});  // C was never registered
  const auto outcome = rig.controller.broker_heartbeat(rig.now_ms, request, rig.arena);
  ASSERT_EQ(outcome.records.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<protocol::PartitionChangeRecord>(outcome.records[0].body));
  const auto& change = std::get<protocol::BrokerRegistrationChangeRecord>(outcome.records[1].body);
  EXPECT_EQ(outcome.records[1].version, 2);
  EXPECT_EQ(std::vector<Uuid>(change.log_dirs.begin(), change.log_dirs.end()), std::vector<Uuid>{kDirB});
  rig.commit(outcome);
  EXPECT_TRUE(rig.controller.broker_heartbeat(rig.now_ms, request, rig.arena).records.empty());
}

TEST(BrokerDirectories, NoRecordSaysThatABrokerHasNoDirectoryLeft) {
  ControllerRig rig;
  one_broker_with_two_partitions(rig);
  rig.fail_directories(1, {kDirA, kDirB});
  EXPECT_FALSE(partition(rig, 0).has_leader());
  EXPECT_FALSE(partition(rig, 1).has_leader());
  EXPECT_EQ(rig.image().broker(1)->log_dirs, kAB);
  auto request = heartbeat_of(rig, 1);
  request.offline_log_dirs = list_of<Uuid>(rig.arena, {kDirA, kDirB});
  EXPECT_TRUE(rig.controller.broker_heartbeat(rig.now_ms, request, rig.arena).records.empty());
}

TEST(BrokerDirectories, BeforeMetadataVersion37NobodyKnowsOfDirectories) {
  ControllerRig rig(test_support::rig_settings(), kBeforeDirectories);
  add_broker(rig, 1, kAB);
  rig.create_topic("t", 1, 1);
  EXPECT_EQ(partition(rig).directory_of(1), kMigratingDirectory);
  EXPECT_TRUE(rig.image().broker(1)->log_dirs.empty());
  auto request = heartbeat_of(rig, 1);
  request.offline_log_dirs = list_of<Uuid>(rig.arena, {kDirA});
  EXPECT_TRUE(rig.controller.broker_heartbeat(rig.now_ms, request, rig.arena).records.empty());
}

TEST(BrokerDirectories, ADirectoryThatIsBackIsElectedOnceTheBrokerIsUnfenced) {
  for (const auto& features : {FeatureLevels{{"metadata.version", 30}}, kWithElr}) {
    ControllerRig rig(test_support::rig_settings(), features);
    one_broker_with_two_partitions(rig);
    const auto restart = [&](const std::vector<Uuid>& directories) {
      rig.now_ms += 9'000;
      rig.register_broker(1, "", rig.image().broker(1)->epoch, directories);
      EXPECT_FALSE(partition(rig, 0).has_leader());
      EXPECT_FALSE(partition(rig, 1).has_leader());
      rig.unfence(1);
    };
    restart({kDirB, kDirC});  // A was replaced by an empty disk
    EXPECT_FALSE(partition(rig, 0).has_leader());
    EXPECT_EQ(partition(rig, 0).directory_of(1), kDirA);
    EXPECT_EQ(partition(rig, 1).leader(), BrokerId(1));
    restart({kDirB, kDirA});
    for (const std::int32_t index : {0, 1}) {
      EXPECT_EQ(partition(rig, index).leader(), BrokerId(1));
      EXPECT_EQ(ids(partition(rig, index).isr()), Ids{1});
      EXPECT_EQ(partition(rig, index).leader_recovery_state(), LeaderRecoveryState::kRecovered);
    }
  }
}

TEST(BrokerDirectories, AHeartbeatThatUnfencesElectsNobodyInADirectoryThatFails) {
  ControllerRig rig;
  one_broker_with_two_partitions(rig);
  rig.heartbeat(1, true, false);
  auto request = heartbeat_of(rig, 1);
  request.offline_log_dirs = list_of<Uuid>(rig.arena, {kDirA});
  EXPECT_FALSE(rig.commit(rig.controller.broker_heartbeat(rig.now_ms, request, rig.arena)).is_fenced);
  EXPECT_FALSE(partition(rig, 0).has_leader());
  EXPECT_EQ(partition(rig, 1).leader(), BrokerId(1));
  EXPECT_EQ(rig.image().broker(1)->log_dirs, std::vector<Uuid>{kDirB});
}

TEST(BrokerDirectories, AFencedBrokersFailureChangesItsRegistrationOnly) {
  ControllerRig rig;
  one_broker_with_two_partitions(rig);
  rig.heartbeat(1, true, false);
  const std::int32_t epoch = partition(rig, 0).partition_epoch();
  rig.fail_directories(1, {kDirA});
  EXPECT_EQ(partition(rig, 0).partition_epoch(), epoch);
  EXPECT_EQ(rig.image().broker(1)->log_dirs, std::vector<Uuid>{kDirB});
}

TEST(BrokerDirectories, FencingAndFailureInOneHeartbeatChangeAPartitionOnce) {
  ControllerRig rig;
  one_broker_with_two_partitions(rig);
  const std::int32_t epoch = partition(rig, 0).partition_epoch();
  auto request = heartbeat_of(rig, 1);
  request.want_fence = true;
  request.offline_log_dirs = list_of<Uuid>(rig.arena, {kDirA});
  EXPECT_TRUE(rig.commit(rig.controller.broker_heartbeat(rig.now_ms, request, rig.arena)).is_fenced);
  EXPECT_EQ(partition(rig, 0).partition_epoch(), epoch + 1);
  EXPECT_FALSE(partition(rig, 0).has_leader());
  EXPECT_FALSE(partition(rig, 1).has_leader());
  EXPECT_EQ(rig.image().broker(1)->log_dirs, std::vector<Uuid>{kDirB});
}

TEST(BrokerDirectories, RegisteringAgainWithoutADirectoryTakesItsPartitionsOffline) {
  ControllerRig rig;
  one_broker_with_two_partitions(rig);
  using Request = protocol::BrokerRegistrationRequest;
  const Request request{
      .broker_id = 1,
      .cluster_id = rig.settings.cluster_id,
      .incarnation_id = rig.image().broker(1)->incarnation_id,
      .features = list_of<Request::Feature>(
          rig.arena, {{.name = "metadata.version", .min_supported_version = 7, .max_supported_version = 30},
                      {.name = "kraft.version", .min_supported_version = 0, .max_supported_version = 1}}),
      .log_dirs = list_of<Uuid>(rig.arena, {kDirB})};
  const auto response = rig.commit(rig.controller.register_broker(rig.now_ms, request, 1, rig.arena));
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  EXPECT_FALSE(rig.image().broker(1)->fenced);
  EXPECT_FALSE(partition(rig, 0).has_leader());
  EXPECT_EQ(partition(rig, 1).leader(), BrokerId(1));
}

TEST(BrokerDirectories, NewReplicasOfABrokerWithOneDirectoryAreKnownToLieThere) {
  ControllerRig rig;
  add_broker(rig, 1, {kDirC});
  rig.create_topic("t", 1, 1);
  EXPECT_EQ(partition(rig).directory_of(1), kDirC);
  add_broker(rig, 2, kAB);
  rig.create_topic("u", 1, 2);
  EXPECT_EQ(rig.image().topic("u")->partition(0)->directory_of(1), kDirC);
  EXPECT_EQ(rig.image().topic("u")->partition(0)->directory_of(2), kUnassignedDirectory);
  rig.fail_directories(2, {kDirA});
  rig.create_topic("v", 1, 2);
  EXPECT_EQ(rig.image().topic("v")->partition(0)->directory_of(2), kDirB);
}

TEST(BrokerDirectories, ReplicasOfABrokerThatListsNoDirectoryAreMigrating) {
  ControllerRig rig(test_support::rig_settings(), kBeforeDirectories);
  rig.add_broker(1);
  using Request = protocol::UpdateFeaturesRequest;
  const Request upgrade{
      .feature_updates = list_of<Request::FeatureUpdateKey>(
          rig.arena, {{.feature = kMetadataVersion, .max_version_level = kNewestMetadataVersion}})};
  ASSERT_EQ(rig.commit(rig.controller.update_features(upgrade, 2, 1, rig.arena)).error_code,
            ErrorCode::kNone);
  rig.create_topic("t", 1, 1);
  EXPECT_EQ(partition(rig).directory_of(1), kMigratingDirectory);
  EXPECT_EQ(partition(rig).leader(), BrokerId(1));
}

void cordon(ControllerRig& rig, BrokerId id, std::initializer_list<Uuid> directories) {
  auto request = heartbeat_of(rig, id);
  request.cordoned_log_dirs = list_of<Uuid>(rig.arena, directories);
  rig.commit(rig.controller.broker_heartbeat(rig.now_ms, request, rig.arena));
}

protocol::CreateTopicsResponse::CreatableTopicResult create(ControllerRig& rig, std::string_view name,
                                                            std::int16_t replication_factor,
                                                            std::initializer_list<BrokerId> assigned = {}) {
  using Request = protocol::CreateTopicsRequest;
  using Assignment = Request::CreatableTopic::CreatableReplicaAssignment;
  Request::CreatableTopic topic{.name = name, .num_partitions = 1, .replication_factor = replication_factor};
  if (assigned.size() > 0) {
    topic.num_partitions = -1;
    topic.replication_factor = -1;
    topic.assignments = list_of<Assignment>(
        rig.arena, {{.partition_index = 0, .broker_ids = list_of<BrokerId>(rig.arena, assigned)}});
  }
  const Request request{.topics = list_of<Request::CreatableTopic>(rig.arena, {topic})};
  return rig.commit(rig.controller.create_topics(request, {}, rig.arena)).topics[0];
}

TEST(BrokerDirectories, ABrokerWithAllDirectoriesCordonedGetsNoNewReplicas) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  add_broker(rig, 2, {kDirC});
  rig.create_topic("t", 1, 2);
  cordon(rig, 1, {kDirA});
  EXPECT_EQ(create(rig, "one-left", 2).error_code, ErrorCode::kNone);
  cordon(rig, 1, {kDirB, kDirA});
  const auto refused = create(rig, "none-left", 2);
  EXPECT_EQ(refused.error_code, ErrorCode::kInvalidReplicationFactor);
  EXPECT_EQ(
      refused.error_message,
      "Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be reached "
      "because only 1 broker(s) are registered or some brokers have all their log directories cordoned.");
  for (int i = 0; i < 10; ++i) {
    const std::string name = "placed-" + std::to_string(i);
    ASSERT_EQ(create(rig, name, 1).error_code, ErrorCode::kNone);
    EXPECT_EQ(rig.image().topic(name)->partition(0)->leader(), BrokerId(2));
  }
  const auto by_hand = create(rig, "by-hand", -1, {2, 1});
  EXPECT_EQ(by_hand.error_code, ErrorCode::kInvalidReplicaAssignment);
  EXPECT_EQ(by_hand.error_message,
            "The manual partition assignment includes broker 1, but all its log directories are cordoned.");
  using Request = protocol::CreatePartitionsRequest;
  const Request grow{.topics =
                         list_of<Request::CreatePartitionsTopic>(rig.arena, {{.name = "t", .count = 2}})};
  EXPECT_EQ(rig.controller.create_partitions(grow, {}, rig.arena).response.results[0].error_code,
            ErrorCode::kInvalidReplicationFactor);
  EXPECT_TRUE(partition(rig).in_isr(1));  // what is there stays
}

TEST(BrokerDirectories, CordoningIsRecordedWhenItChangesAndEndsWithAnEmptyList) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  const auto records_of = [&](std::optional<std::span<Uuid>> cordoned) {
    auto request = heartbeat_of(rig, 1);
    request.cordoned_log_dirs = cordoned;
    const auto outcome = rig.controller.broker_heartbeat(rig.now_ms, request, rig.arena);
    rig.commit(outcome);
    return outcome.records.size();
  };
  EXPECT_EQ(records_of(std::span<Uuid>{}), 1u);  // unknown before
  EXPECT_EQ(records_of(std::span<Uuid>{}), 0u);
  EXPECT_EQ(records_of(list_of<Uuid>(rig.arena, {kDirA, kDirB})), 1u);
  EXPECT_EQ(records_of(list_of<Uuid>(rig.arena, {kDirB, kDirA})), 0u);
  EXPECT_EQ(create(rig, "t", 1).error_code, ErrorCode::kInvalidReplicationFactor);
  EXPECT_EQ(records_of(std::nullopt), 0u);
  EXPECT_EQ(records_of(std::span<Uuid>{}), 1u);
  EXPECT_EQ(create(rig, "t", 1).error_code, ErrorCode::kNone);
  // A new registration knows of no cordoned directories until the broker says so.
  records_of(list_of<Uuid>(rig.arena, {kDirA, kDirB}));
  rig.now_ms += 9'000;
  rig.register_broker(1, "", -1, kAB);
  EXPECT_FALSE(rig.image().broker(1)->cordoned_log_dirs);
}

// One directory is cordoned, the other fails: no directory is left for new replicas.
TEST(BrokerDirectories, AFailedDirectoryIsNoPlaceForNewReplicas) {
  ControllerRig rig;
  add_broker(rig, 1, kAB);
  cordon(rig, 1, {kDirA});
  rig.fail_directories(1, {kDirB});
  const auto refused = create(rig, "t", 1);
  EXPECT_EQ(refused.error_code, ErrorCode::kInvalidReplicationFactor);
  EXPECT_EQ(
      refused.error_message,
      "Unable to replicate the partition 1 time(s): All brokers are currently fenced, or have all their "
      "log directories cordoned.");
}

TEST(BrokerDirectories, CordoningIsIgnoredBeforeMetadataVersion43) {
  ControllerRig rig(test_support::rig_settings(), {{"metadata.version", kMetadataVersion43Iv0 - 1}});
  add_broker(rig, 1, kAB);
  cordon(rig, 1, {kDirA, kDirB});
  EXPECT_FALSE(rig.image().broker(1)->cordoned_log_dirs);
  EXPECT_EQ(create(rig, "t", 1).error_code, ErrorCode::kNone);
}

}  // namespace
}  // namespace milena::controller
