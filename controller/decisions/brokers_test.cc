#include "controller/decisions/brokers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "controller/testing/controller_rig.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;
using test_support::list_of;
using Registration = protocol::BrokerRegistrationRequest;
using Ids = std::vector<BrokerId>;

const FeatureLevels kWithElr{{"metadata.version", 30}, {"eligible.leader.replicas.version", 1}};

Ids ids(std::span<const BrokerId> list) { return {list.begin(), list.end()}; }

// A registration that would be accepted; tests spoil it.
Registration registration(ControllerRig& rig, BrokerId id) {
  return {
      .broker_id = id,
      .cluster_id = rig.settings.cluster_id,
      .incarnation_id = Uuid::random(rig.rng),
      .features = list_of<Registration::Feature>(
          rig.arena, {{.name = "metadata.version", .min_supported_version = 7, .max_supported_version = 30},
                      {.name = "kraft.version", .min_supported_version = 0, .max_supported_version = 1}}),
      .log_dirs =
          list_of<Uuid>(rig.arena, {Uuid::from_halves(3, 1000 + static_cast<std::uint64_t>(id.value))})};
}

ErrorCode answer_to(ControllerRig& rig, const Registration& request) {
  return rig.commit(rig.controller.register_broker(rig.now_ms, request, 1, rig.arena)).error_code;
}

TEST(Brokers, ABrokerRegistersFencedAtTheOffsetOfItsRecord) {
  ControllerRig rig;
  const Offset next = rig.controller.next_offset();
  const std::int64_t epoch = rig.register_broker(1, "rack-a");
  EXPECT_EQ(epoch, next.value);
  const BrokerRegistration& broker = *rig.image().broker(1);
  EXPECT_EQ(broker.epoch, epoch);
  EXPECT_TRUE(broker.fenced);
  EXPECT_EQ(broker.rack, "rack-a");
  EXPECT_EQ(broker.endpoints[0].name, "PLAINTEXT");
  EXPECT_EQ(broker.features.at("metadata.version"), (FeatureRange{7, 30}));
}

TEST(Brokers, ABrokerIsUnfencedOnceItHasSeenItsOwnRegistration) {
  ControllerRig rig;
  const std::int64_t epoch = rig.register_broker(1);
  const auto beat = [&](Offset seen) {
    return rig.commit(rig.controller.broker_heartbeat(
        rig.now_ms, {.broker_id = 1, .broker_epoch = epoch, .current_metadata_offset = seen}, rig.arena));
  };
  auto response = beat(epoch - 1);
  EXPECT_FALSE(response.is_caught_up);
  EXPECT_TRUE(response.is_fenced);
  response = beat(epoch);
  EXPECT_TRUE(response.is_caught_up);
  EXPECT_FALSE(response.is_fenced);
  EXPECT_TRUE(rig.image().broker(1)->is_active());
}

TEST(Brokers, AHeartbeatOfAnotherEpochIsStale) {
  ControllerRig rig;
  const std::int64_t epoch = rig.register_broker(1);
  for (const auto& [id, at] : {std::pair{1, epoch + 1}, std::pair{2, epoch}}) {
    const auto outcome =
        rig.controller.broker_heartbeat(rig.now_ms, {.broker_id = id, .broker_epoch = at}, rig.arena);
    EXPECT_EQ(outcome.response.error_code, ErrorCode::kStaleBrokerEpoch);
    EXPECT_TRUE(outcome.records.empty());
  }
}

TEST(Brokers, RegistrationsAreChecked) {
  ControllerRig rig;
  Registration request = registration(rig, 1);
  request.cluster_id = "other";
  EXPECT_EQ(answer_to(rig, request), ErrorCode::kInconsistentClusterId);
  request = registration(rig, 1);
  request.log_dirs = {};
  EXPECT_EQ(answer_to(rig, request), ErrorCode::kInvalidRegistration);
  request.log_dirs = list_of<Uuid>(rig.arena, {kLostDirectory});
  EXPECT_EQ(answer_to(rig, request), ErrorCode::kInvalidRegistration);
  request.log_dirs = list_of<Uuid>(rig.arena, {Uuid::from_halves(1, 1), Uuid::from_halves(1, 1)});
  EXPECT_EQ(answer_to(rig, request), ErrorCode::kInvalidRegistration);
  request = registration(rig, 1);
  request.is_migrating_zk_broker = true;
  EXPECT_EQ(answer_to(rig, request), ErrorCode::kBrokerIdNotRegistered);
  request = registration(rig, 1);
  request.features = request.features.subspan(1);
  EXPECT_EQ(answer_to(rig, request),
            ErrorCode::kInvalidRegistration);  // it does not say its metadata.version
  request = registration(rig, 1);
  request.features[0].max_supported_version = 29;
  EXPECT_EQ(answer_to(rig, request), ErrorCode::kUnsupportedVersion);
  request = registration(rig, 1);
  request.features = request.features.first(1);
  EXPECT_EQ(answer_to(rig, request), ErrorCode::kUnsupportedVersion);  // nor kraft.version 1
  EXPECT_EQ(rig.image().broker(1), nullptr);
  EXPECT_EQ(answer_to(rig, registration(rig, 1)), ErrorCode::kNone);
  request = registration(rig, 2);
  request.log_dirs = registration(rig, 1).log_dirs;
  EXPECT_EQ(answer_to(rig, request), ErrorCode::kInvalidRegistration);  // the directory is another broker's
}

TEST(Brokers, AFeatureThatOnlyAddsGroupsNeedNotBeSupported) {
  ControllerRig rig;
  const MetadataRecord share[] = {
      {.body = protocol::FeatureLevelRecord{.name = "share.version", .feature_level = 1}}};
  rig.commit(share);
  EXPECT_EQ(answer_to(rig, registration(rig, 1)), ErrorCode::kNone);
  const MetadataRecord later[] = {
      {.body = protocol::FeatureLevelRecord{.name = "later.version", .feature_level = 1}}};
  rig.commit(later);
  EXPECT_EQ(answer_to(rig, registration(rig, 2)), ErrorCode::kUnsupportedVersion);
}

TEST(Brokers, OneLiveIncarnationPerId) {
  ControllerRig rig;
  const Registration first = registration(rig, 1);
  EXPECT_EQ(answer_to(rig, first), ErrorCode::kNone);
  EXPECT_EQ(answer_to(rig, registration(rig, 1)), ErrorCode::kDuplicateBrokerRegistration);
  const std::int64_t epoch = rig.image().broker(1)->epoch;
  EXPECT_EQ(answer_to(rig, first), ErrorCode::kNone);  // the same incarnation again amends
  EXPECT_EQ(rig.image().broker(1)->epoch, epoch);
  rig.now_ms += 9'000;
  EXPECT_EQ(answer_to(rig, registration(rig, 1)), ErrorCode::kNone);
  EXPECT_GT(rig.image().broker(1)->epoch, epoch);
}

TEST(Brokers, AfterARestartTheBrokerOfThisProcessNeedNotWait) {
  ControllerRig rig;
  rig.add_broker(1);
  rig.add_broker(2);
  ControllerRig again = rig.restarted();
  EXPECT_TRUE(again.controller.activate(again.now_ms, {}, again.arena).empty());
  EXPECT_EQ(answer_to(again, registration(again, 1)), ErrorCode::kNone);
  EXPECT_EQ(answer_to(again, registration(again, 2)), ErrorCode::kDuplicateBrokerRegistration);
}

TEST(Brokers, ASilentBrokerIsFencedAndItsLeadershipsMove) {
  ControllerRig rig;
  rig.add_broker(1);
  rig.add_broker(2);
  rig.create_topic("t", 4, 2);
  rig.now_ms += 5'000;
  rig.heartbeat(1, false, false);
  rig.now_ms += 4'000;
  rig.commit(rig.controller.tick(rig.now_ms, rig.arena));
  EXPECT_TRUE(rig.image().broker(2)->fenced);
  EXPECT_FALSE(rig.image().broker(1)->fenced);
  EXPECT_TRUE(rig.controller.tick(rig.now_ms, rig.arena).empty());
  for (const auto& [index, partition] : rig.image().topic("t")->partitions) {
    EXPECT_EQ(partition->leader(), BrokerId(1));
    EXPECT_EQ(ids(partition->isr()), Ids{1});
  }
}

TEST(Brokers, FencingWritesTheElectionsFirstUnfencingLast) {
  ControllerRig rig;
  rig.add_broker(1);
  rig.create_topic("t", 1, 1);
  const auto beat = [&](bool want_fence) {
    return rig.controller.broker_heartbeat(rig.now_ms,
                                           {.broker_id = 1,
                                            .broker_epoch = rig.image().broker(1)->epoch,
                                            .current_metadata_offset = 1'000,
                                            .want_fence = want_fence},
                                           rig.arena);
  };
  const auto fencing = beat(true);
  ASSERT_EQ(fencing.records.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<protocol::PartitionChangeRecord>(fencing.records[0].body));
  EXPECT_EQ(std::get<protocol::BrokerRegistrationChangeRecord>(fencing.records[1].body).fenced, 1);
  rig.commit(fencing);
  const auto unfencing = beat(false);
  ASSERT_EQ(unfencing.records.size(), 2u);
  EXPECT_EQ(std::get<protocol::BrokerRegistrationChangeRecord>(unfencing.records[0].body).fenced, -1);
  EXPECT_TRUE(std::holds_alternative<protocol::PartitionChangeRecord>(unfencing.records[1].body));
}

TEST(Brokers, WithoutElrTheLastMemberStaysInTheIsr) {
  ControllerRig rig;
  rig.add_broker(1);
  rig.create_topic("t", 1, 1);
  rig.heartbeat(1, true, false);
  const Partition* partition = rig.image().topic("t")->partition(0);
  EXPECT_FALSE(partition->has_leader());
  EXPECT_EQ(ids(partition->isr()), Ids{1});
  EXPECT_EQ(partition->leader_epoch(), LeaderEpoch(1));
  rig.unfence(1);
  partition = rig.image().topic("t")->partition(0);
  EXPECT_EQ(partition->leader(), BrokerId(1));
  EXPECT_EQ(partition->leader_epoch(), LeaderEpoch(2));
  EXPECT_EQ(partition->leader_recovery_state(), LeaderRecoveryState::kRecovered);
}

// The records that Apache Kafka writes for the same event: Isr [], Leader -1, Elr [1], LastKnownElr [1].
TEST(Brokers, WithElrTheLastMemberBecomesEligible) {
  ControllerRig rig(test_support::rig_settings(), kWithElr);
  rig.add_broker(1);
  rig.create_topic("t", 1, 1);
  rig.heartbeat(1, true, false);
  const Partition* partition = rig.image().topic("t")->partition(0);
  EXPECT_FALSE(partition->has_leader());
  EXPECT_TRUE(partition->isr().empty());
  EXPECT_EQ(ids(partition->elr()), Ids{1});
  EXPECT_EQ(ids(partition->last_known_elr()), Ids{1});
  rig.unfence(1);
  partition = rig.image().topic("t")->partition(0);
  EXPECT_EQ(partition->leader(), BrokerId(1));
  EXPECT_EQ(ids(partition->isr()), Ids{1});
  EXPECT_TRUE(partition->elr().empty());
  EXPECT_TRUE(partition->last_known_elr().empty());
  EXPECT_EQ(partition->leader_recovery_state(), LeaderRecoveryState::kRecovered);
}

TEST(Brokers, AfterACleanShutdownAReplicaStaysEligibleAfterAnUncleanOneNot) {
  for (const bool clean : {true, false}) {
    ControllerRig rig(test_support::rig_settings(), kWithElr);
    rig.add_broker(1);
    rig.create_topic("t", 1, 1);
    rig.now_ms += 9'000;
    rig.register_broker(1, "", clean ? rig.image().broker(1)->epoch : -1);
    const Partition* partition = rig.image().topic("t")->partition(0);
    EXPECT_FALSE(partition->has_leader());
    EXPECT_TRUE(partition->isr().empty());
    EXPECT_EQ(ids(partition->elr()), clean ? Ids{1} : Ids{});
    EXPECT_EQ(ids(partition->last_known_elr()), Ids{1});
    rig.unfence(1);
    partition = rig.image().topic("t")->partition(0);
    EXPECT_EQ(partition->leader(), BrokerId(1));
    EXPECT_EQ(ids(partition->isr()), Ids{1});
    // Electing the last known leader may have lost records, and its followers must be told.
    EXPECT_EQ(partition->leader_recovery_state(),
              clean ? LeaderRecoveryState::kRecovered : LeaderRecoveryState::kRecovering);
  }
}

TEST(Brokers, EligibleReplicasGatherOnlyBelowTheMinimum) {
  ControllerSettings settings = test_support::rig_settings();
  settings.static_config["min.insync.replicas"] = "2";
  ControllerRig rig(settings, kWithElr);
  for (const std::int32_t id : {1, 2, 3}) rig.add_broker(id);
  rig.create_topic("t", 1, 3);
  rig.heartbeat(3, true, false);
  EXPECT_TRUE(rig.image().topic("t")->partition(0)->elr().empty());  // two are left, and two are enough
  rig.heartbeat(2, true, false);
  EXPECT_EQ(ids(rig.image().topic("t")->partition(0)->elr()), Ids{2});
  rig.heartbeat(1, true, false);
  EXPECT_EQ(ids(rig.image().topic("t")->partition(0)->elr()), (Ids{1, 2}));
  rig.unfence(3);  // never eligible: it left while the rest went on
  EXPECT_FALSE(rig.image().topic("t")->partition(0)->has_leader());
  rig.unfence(2);
  const Partition& partition = *rig.image().topic("t")->partition(0);
  EXPECT_EQ(partition.leader(), BrokerId(2));
  EXPECT_EQ(ids(partition.isr()), Ids{2});
  EXPECT_EQ(ids(partition.elr()), Ids{1});
}

TEST(Brokers, UncleanElectionTakesAnyReplicaWhereItIsAllowed) {
  ControllerSettings settings = test_support::rig_settings();
  settings.static_config["unclean.leader.election.enable"] = "true";
  ControllerRig rig(settings);
  rig.add_broker(1);
  rig.add_broker(2);
  rig.create_topic("t", 1, 2);
  rig.heartbeat(2, true, false);
  rig.heartbeat(1, true, false);
  EXPECT_EQ(ids(rig.image().topic("t")->partition(0)->isr()), Ids{1});
  rig.unfence(2);
  const Partition& partition = *rig.image().topic("t")->partition(0);
  EXPECT_EQ(partition.leader(), BrokerId(2));
  EXPECT_EQ(ids(partition.isr()), Ids{2});
  EXPECT_EQ(partition.leader_recovery_state(), LeaderRecoveryState::kRecovering);
}

TEST(Brokers, ControlledShutdownWaitsUntilTheOthersKnow) {
  ControllerRig rig;
  rig.add_broker(1);
  rig.add_broker(2);
  rig.create_topic("t", 2, 2);
  rig.heartbeat(2, false, false);
  auto response = rig.heartbeat(1, false, true);
  EXPECT_FALSE(response.should_shut_down);
  EXPECT_TRUE(rig.image().broker(1)->in_controlled_shutdown);
  for (const auto& [index, partition] : rig.image().topic("t")->partitions) {
    EXPECT_EQ(partition->leader(), BrokerId(2));
  }
  EXPECT_FALSE(rig.heartbeat(1, false, true).should_shut_down);  // broker 2 has not heard of it yet
  rig.heartbeat(2, false, false);
  response = rig.heartbeat(1, false, true);
  EXPECT_TRUE(response.should_shut_down);
  EXPECT_TRUE(rig.image().broker(1)->fenced);
}

TEST(Brokers, TheOnlyBrokerMayShutDownAtOnce) {
  ControllerRig rig;
  rig.add_broker(1);
  EXPECT_TRUE(rig.heartbeat(1, false, true).should_shut_down);  // it leads nothing
  EXPECT_TRUE(rig.image().broker(1)->fenced);
  rig.unfence(1);
  rig.create_topic("t", 1, 1);
  EXPECT_FALSE(rig.heartbeat(1, false, true).should_shut_down);
  EXPECT_TRUE(rig.heartbeat(1, false, true).should_shut_down);
}

TEST(Brokers, UnregisteringForgetsTheBroker) {
  ControllerRig rig;
  rig.add_broker(1);
  rig.add_broker(2);
  rig.create_topic("t", 1, 2);
  rig.commit(rig.controller.unregister_broker({.broker_id = 2}, rig.arena));
  EXPECT_EQ(rig.image().broker(2), nullptr);
  EXPECT_EQ(ids(rig.image().topic("t")->partition(0)->isr()), Ids{1});
  const auto again = rig.controller.unregister_broker({.broker_id = 2}, rig.arena).response;
  EXPECT_EQ(again.error_code, ErrorCode::kBrokerIdNotRegistered);
  EXPECT_EQ(again.error_message, "Broker ID 2 is not currently registered");
}

TEST(Brokers, ControllersRegisterToo) {
  ControllerRig rig;
  using Request = protocol::ControllerRegistrationRequest;
  const Request request{.controller_id = 1,
                        .incarnation_id = Uuid::from_halves(1, 5),
                        .listeners = list_of<Request::Listener>(
                            rig.arena, {{.name = "CONTROLLER", .host = "h", .port = 9093}})};
  EXPECT_EQ(rig.commit(rig.controller.register_controller(request, rig.arena)).error_code, ErrorCode::kNone);
  EXPECT_EQ((*rig.image().controllers.find(BrokerId(1)))->endpoints[0].port, 9093);
  ControllerRig old(test_support::rig_settings(), {{"metadata.version", 14}});
  EXPECT_EQ(old.controller.register_controller(request, old.arena).response.error_code,
            ErrorCode::kUnsupportedVersion);
}

TEST(Brokers, ProducerIdsComeInBlocksThatNobodyElseGets) {
  ControllerRig rig;
  const std::int64_t epoch = rig.register_broker(1);
  const auto allocate = [&](BrokerId id, std::int64_t at) {
    return rig.commit(rig.controller.allocate_producer_ids({.broker_id = id, .broker_epoch = at}, rig.arena));
  };
  for (const std::int64_t first : {0, 1'000, 2'000}) {
    const auto response = allocate(1, epoch);
    EXPECT_EQ(response.producer_id_start, ProducerId(first));
    EXPECT_EQ(response.producer_id_len, 1'000);
  }
  EXPECT_EQ(rig.image().next_producer_id, ProducerId(3'000));
  EXPECT_EQ(allocate(1, epoch + 1).error_code, ErrorCode::kStaleBrokerEpoch);
  EXPECT_EQ(allocate(2, epoch).error_code, ErrorCode::kStaleBrokerEpoch);
  EXPECT_EQ(rig.image().next_producer_id, ProducerId(3'000));
}

}  // namespace
}  // namespace milena::controller
