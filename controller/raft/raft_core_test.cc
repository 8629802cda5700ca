#include "controller/raft/raft_core.h"

#include <gtest/gtest.h>

#include "protocol/error_code.h"

namespace milena::controller {
namespace {

using protocol::LeaderEpoch;
using protocol::Offset;

const Uuid kDirectory = *Uuid::parse("JEXY6aqzQY-32P5TStzaFg");
constexpr std::int64_t kNow = 1'700'000'000'000;

Voter self() { return {.key = {1, kDirectory}, .endpoints = {{"CONTROLLER", "127.0.0.1", 19093}}}; }

QuorumConfig only_me(std::int16_t kraft_version = 1) {
  return {.kraft_version = kraft_version, .voters = {self()}};
}

RaftCore opened(const QuorumConfig& config = only_me(), const std::optional<QuorumState>& stored = {},
                const LogEnd& end = {}) {
  auto core = RaftCore::open(self(), config, stored, end);
  EXPECT_TRUE(core) << core.error().why;
  return *std::move(core);
}

MetadataBatch decoded(const std::vector<std::byte>& bytes, Arena& arena) {
  const auto view = protocol::RecordBatchView::parse(bytes);
  EXPECT_TRUE(view);
  auto batch = decode_metadata_batch(*view, arena);
  EXPECT_TRUE(batch) << batch.error().why;
  return *batch;
}

TEST(RaftCore, TheOnlyVoterLeadsTheFirstEpochAtOnce) {
  RaftCore core = opened();
  const RaftReady ready = core.start(kNow);
  EXPECT_TRUE(core.is_leader());
  EXPECT_EQ(core.epoch(), LeaderEpoch(1));
  EXPECT_EQ(decode_quorum_state(as_bytes(*ready.quorum_state)),
            (QuorumState{.leader_id = 1, .leader_epoch = 1}));
  EXPECT_FALSE(core.high_watermark());
}

TEST(RaftCore, TheFirstBatchOfAnEpochNamesLeaderAndVoters) {
  RaftCore core = opened();
  const RaftReady ready = core.start(kNow);
  Arena arena;
  const MetadataBatch batch = decoded(ready.append, arena);
  EXPECT_EQ(batch.position.base_offset, Offset(0));
  EXPECT_EQ(batch.position.epoch, LeaderEpoch(1));
  ASSERT_EQ(batch.control.size(), 3u);
  const auto& change = std::get<protocol::LeaderChangeMessage>(batch.control[0]);
  EXPECT_EQ(change.leader_id, protocol::BrokerId(1));
  ASSERT_EQ(change.voters.size(), 1u);
  QuorumConfig read;
  read.observe(batch);
  EXPECT_EQ(read, (QuorumConfig{.kraft_version = 1, .voters = {self()}, .in_log = true}));
  EXPECT_EQ(core.config(), read);
}

TEST(RaftCore, VotersAreWrittenAgainOnlyWhenTheyChanged) {
  QuorumConfig config = only_me();
  config.in_log = true;
  Arena arena;
  RaftCore same = opened(config);
  EXPECT_EQ(decoded(same.start(kNow).append, arena).control.size(), 1u);
  config.voters[0].endpoints[0].port = 1;
  RaftCore moved = opened(config);
  EXPECT_EQ(decoded(moved.start(kNow).append, arena).control.size(), 3u);
}

TEST(RaftCore, WithoutKip853OnlyTheLeaderIsNamed) {
  RaftCore core = opened(only_me(0));
  const RaftReady ready = core.start(kNow);
  Arena arena;
  EXPECT_EQ(decoded(ready.append, arena).control.size(), 1u);
  EXPECT_EQ(decode_quorum_state(as_bytes(*ready.quorum_state)),
            (QuorumState{.leader_id = 1, .leader_epoch = 1, .current_voters = {1}}));
}

TEST(RaftCore, ARestartedLeaderNeverLeadsTheSameEpochTwice) {
  RaftCore core =
      opened(only_me(), QuorumState{.leader_id = 1, .leader_epoch = 5}, {.offset = 40, .last_epoch = 4});
  EXPECT_EQ(core.role(), RaftRole::kResigned);
  const RaftReady ready = core.start(kNow);
  EXPECT_EQ(core.epoch(), LeaderEpoch(6));
  Arena arena;
  EXPECT_EQ(decoded(ready.append, arena).position.base_offset, Offset(40));
}

TEST(RaftCore, AnEpochOfTheLogThatTheFileLacksStillCounts) {
  RaftCore core =
      opened(only_me(), QuorumState{.leader_epoch = 2, .voted_id = 9}, {.offset = 40, .last_epoch = 7});
  core.start(kNow);
  EXPECT_EQ(core.epoch(), LeaderEpoch(8));
}

TEST(RaftCore, NothingIsCommittedBeforeARecordOfTheNewEpochIsDurable) {
  RaftCore core =
      opened(only_me(), QuorumState{.leader_id = 1, .leader_epoch = 5}, {.offset = 40, .last_epoch = 5});
  core.start(kNow);
  EXPECT_FALSE(core.on_durable(40).high_watermark);
  EXPECT_FALSE(core.high_watermark());
  EXPECT_EQ(core.on_durable(43).high_watermark, Offset(43));
}

TEST(RaftCore, TheHighWatermarkFollowsDurabilityAndNeverFalls) {
  RaftCore core = opened();
  core.start(kNow);
  EXPECT_EQ(core.on_durable(3).high_watermark, Offset(3));
  EXPECT_EQ(core.on_durable(10).high_watermark, Offset(10));
  EXPECT_FALSE(core.on_durable(10).high_watermark);
  EXPECT_FALSE(core.on_durable(5).high_watermark);
  EXPECT_EQ(core.high_watermark(), Offset(10));
}

TEST(RaftCore, RefusesAQuorumItCannotBeTheWholeOf) {
  QuorumConfig two = only_me();
  two.voters.push_back({.key = {2, {}}});
  QuorumConfig other_disk = only_me();
  other_disk.voters[0].key.directory_id = Uuid::from_halves(1, 1);
  for (const QuorumConfig& config : {QuorumConfig{}, two, other_disk}) {
    const auto core = RaftCore::open(self(), config, {}, {});
    ASSERT_FALSE(core);
    EXPECT_EQ(core.error().code, ErrorCode::kInconsistentVoterSet);
  }
  EXPECT_FALSE(RaftCore::open(self(), only_me(), QuorumState{.leader_epoch = 2147483647}, {}));
}

// With kraft.version 0 the voters are in the configuration; the file and the newest leader's record repeat
// them.
TEST(RaftCore, RefusesAReplicaOfAStaticQuorumOfSeveral) {
  const auto refused = [](const QuorumConfig& config, const std::optional<QuorumState>& stored) {
    const auto core = RaftCore::open(self(), config, stored, {});
    return !core && core.error().code == ErrorCode::kInconsistentVoterSet;
  };
  EXPECT_TRUE(refused(only_me(0), QuorumState{.leader_epoch = 3, .current_voters = {1, 2, 3}}));
  EXPECT_TRUE(refused(only_me(1), QuorumState{.leader_epoch = 3, .current_voters = {2}}));
  EXPECT_FALSE(refused(only_me(0), QuorumState{.leader_epoch = 3, .current_voters = {1}}));
  QuorumConfig config = only_me(0);
  config.announced = {1, 2, 3};
  EXPECT_TRUE(refused(config, {}));
  config.announced = {1};
  EXPECT_FALSE(refused(config, {}));
  config.in_log = true;
  EXPECT_FALSE(refused(config, QuorumState{.current_voters = {1, 2}})) << "records are newer than the file";
}

TEST(QuorumConfig, LearnsTheVotersFromTheNewestLeaderUntilARecordNamesThem) {
  QuorumConfig config;
  const auto observe = [&](std::vector<ControlRecord> records) {
    MetadataBatch batch{};
    batch.control = records;
    config.observe(batch);
  };
  std::vector<protocol::LeaderChangeMessage::Voter> three{{.voter_id = 1}, {.voter_id = 2}, {.voter_id = 3}};
  std::vector<protocol::LeaderChangeMessage::Voter> one{{.voter_id = 1}};
  observe({protocol::LeaderChangeMessage{.leader_id = 1, .voters = three}});
  EXPECT_EQ(config.announced, (std::vector<protocol::BrokerId>{1, 2, 3}));
  observe({protocol::LeaderChangeMessage{.leader_id = 1, .voters = one}});
  EXPECT_EQ(config.announced, std::vector<protocol::BrokerId>{1});
  Arena arena;
  observe(only_me().to_records(arena));
  EXPECT_TRUE(config.announced.empty());
  observe({protocol::LeaderChangeMessage{.leader_id = 1, .voters = three}});
  EXPECT_TRUE(config.announced.empty());
}

TEST(RaftCore, MajorityIsWhatMoreThanHalfHave) {
  EXPECT_EQ(majority_offset({7}), Offset(7));
  EXPECT_EQ(majority_offset({7, 3}), Offset(3));
  EXPECT_EQ(majority_offset({1, 9, 5}), Offset(5));
  EXPECT_EQ(majority_offset({1, 9, 5, 8}), Offset(5));
}

TEST(RaftCore, ItsViewOfTheQuorumIsItself) {
  RaftCore core = opened();
  EXPECT_FALSE(core.view(kNow).is_leader);
  EXPECT_TRUE(core.view(kNow).voters.empty());
  core.start(kNow);
  EXPECT_EQ(core.view(kNow).high_watermark, protocol::kNoOffset);
  core.on_durable(3);
  const QuorumView view = core.view(kNow);
  EXPECT_TRUE(view.is_leader);
  EXPECT_EQ(view.leader, protocol::BrokerId(1));
  EXPECT_EQ(view.epoch, LeaderEpoch(1));
  EXPECT_EQ(view.high_watermark, Offset(3));
  ASSERT_EQ(view.voters.size(), 1u);
  EXPECT_EQ(view.voters[0].key, (ReplicaKey{1, kDirectory}));
  EXPECT_EQ(view.voters[0].log_end_offset, Offset(3));
  EXPECT_EQ(view.voters[0].last_fetch_ms, kNow);
  ASSERT_EQ(view.nodes.size(), 1u);
  EXPECT_EQ(view.nodes[0], self());
}

TEST(RaftCore, OneOfSeveralStaticVotersDoesNotElectItself) {
  const auto refused =
      RaftCore::open(self(), only_me(0), QuorumState{.leader_epoch = 3, .current_voters = {1, 2, 3}}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInconsistentVoterSet);
  EXPECT_TRUE(RaftCore::open(self(), only_me(0), QuorumState{.leader_epoch = 3, .current_voters = {1}}, {}));
}

}  // namespace
}  // namespace milena::controller
