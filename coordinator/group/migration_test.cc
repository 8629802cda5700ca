// Online migration: a live group changes its protocol, in both directions, and members of both share it
// meanwhile.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "coordinator/group/testing/requests.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)
using protocol::HeartbeatResponse;
using protocol::JoinGroupResponse;
using protocol::LeaveGroupResponse;
using protocol::SyncGroupResponse;
using Beat = protocol::ConsumerGroupHeartbeatResponse;

const Uuid kFoo = FakeMetadata::id_of(1);

struct MigrationTest : testing::Test {
  MigrationTest() { h.add_topic("foo", 4); }

  JoinOptions classic_options(std::string member_id = "",
                              const std::vector<std::pair<std::string, std::int32_t>>& owned = {}) {
    JoinOptions options;
    options.member_id = std::move(member_id);
    options.protocols = {{"range", subscription_blob({"foo"}, owned)}};
    return options;
  }
  ReplyToken join(const JoinOptions& options) { return h.send(join_request(h, "g", options)); }
  std::string claim() {
    return std::string(h.ask<JoinGroupResponse>(join_request(h, "g", classic_options())).member_id);
  }
  std::string blob(std::vector<std::int32_t> partitions) {
    return write_assignment(Assignment{{kFoo, std::move(partitions)}}, *h.metadata, 3);
  }
  // A stable classic group of one, who owns all of foo.
  std::string classic_member() {
    const std::string id = claim();
    const auto joined = h.answer<JoinGroupResponse>(join(classic_options(id)));
    EXPECT_EQ(joined.error_code, ErrorCode::kNone);
    h.ask<SyncGroupResponse>(sync_request(h, "g", id, joined.generation_id, {{id, blob({0, 1, 2, 3})}}));
    return id;
  }
  Beat beat(std::string_view member, const BeatOptions& options) {
    return h.ask<Beat>(beat_request(h, "g", member, options));
  }
  ErrorCode classic_beat(std::string_view member, std::int32_t generation) {
    return h.ask<HeartbeatResponse>(heartbeat_request(h, "g", member, generation)).error_code;
  }
  Assignment synced(const SyncGroupResponse& response) {
    Arena arena;
    const auto read = read_assignment(as_text(response.assignment), arena);
    EXPECT_TRUE(read.has_value());
    return to_assignment(*read, *h.metadata);
  }

  GroupHarness h;
};

TEST_F(MigrationTest, G6_ConsumerThatJoinsAClassicGroupUpgradesItAndOffsetsStay) {
  const std::string a = classic_member();
  h.ask<protocol::OffsetCommitResponse>(commit_request(h, "g", {{"foo", 0, 7}}, a, 1));
  const Beat b = beat("b", joining({"foo"}));
  EXPECT_EQ(b.error_code, ErrorCode::kNone) << b.error_message.value_or("");
  EXPECT_EQ(b.member_epoch, 2);
  EXPECT_TRUE(assignment_of(b).empty()) << "everything is a's";
  ASSERT_TRUE(h.group("g")->consumer);
  EXPECT_TRUE(h.consumer("g").find(a)->classic.has_value());
  EXPECT_EQ(h.group("g")->offsets.find("foo", 0)->offset, 7);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(MigrationTest, G6_ClassicMemberOfAConsumerGroupFollowsByRejoining) {
  const std::string a = classic_member();
  beat("b", joining({"foo"}));
  EXPECT_EQ(classic_beat(a, 1), ErrorCode::kRebalanceInProgress);
  // It joins, and says what it owns: it has to give up two.
  const auto owned =
      std::vector<std::pair<std::string, std::int32_t>>{{"foo", 0}, {"foo", 1}, {"foo", 2}, {"foo", 3}};
  auto joined = h.ask<JoinGroupResponse>(join_request(h, "g", classic_options(a, owned)));
  EXPECT_EQ(joined.error_code, ErrorCode::kNone);
  EXPECT_EQ(joined.generation_id, 1);
  EXPECT_EQ(joined.protocol_name, "range");
  EXPECT_TRUE(joined.leader.empty());
  EXPECT_TRUE(joined.members.empty()) << "the coordinator assigns";
  auto kept = synced(h.ask<SyncGroupResponse>(sync_request(h, "g", a, 1)));
  EXPECT_EQ(count(kept), 2u);
  EXPECT_TRUE(assignment_of(beat("b", {.epoch = 2})).empty()) << "not before a has said that they are gone";
  // A rebalance again, until it has caught up.
  EXPECT_EQ(classic_beat(a, 1), ErrorCode::kRebalanceInProgress);
  std::vector<std::pair<std::string, std::int32_t>> now_owned;
  for (const std::int32_t partition : kept[kFoo]) now_owned.emplace_back("foo", partition);
  joined = h.ask<JoinGroupResponse>(join_request(h, "g", classic_options(a, now_owned)));
  EXPECT_EQ(joined.generation_id, 2);
  EXPECT_EQ(synced(h.ask<SyncGroupResponse>(sync_request(h, "g", a, 2))), kept);
  EXPECT_EQ(classic_beat(a, 2), ErrorCode::kNone);
  EXPECT_EQ(count(assignment_of(beat("b", {.epoch = 2}))), 2u);
  EXPECT_EQ(h.consumer("g").state(), "Stable");
}

TEST_F(MigrationTest, MembersThatWaitInTheClassicGroupAreToldToRejoin) {
  const std::string a = classic_member();
  const ReplyToken waiting = join(classic_options(a));  // the leader: a rebalance of one completes at once
  h.take<JoinGroupResponse>(waiting);
  const std::string c = claim();
  const ReplyToken c_join = join(classic_options(c));
  EXPECT_TRUE(h.waits(c_join));
  EXPECT_EQ(beat("b", joining({"foo"})).error_code, ErrorCode::kNone);
  EXPECT_EQ(h.answer<JoinGroupResponse>(c_join).error_code, ErrorCode::kRebalanceInProgress);
}

TEST_F(MigrationTest, G6_LastConsumerThatLeavesDowngradesTheGroup) {
  const std::string a = classic_member();
  beat("b", joining({"foo"}));
  EXPECT_EQ(beat("b", {.epoch = -1}).error_code, ErrorCode::kNone);
  ASSERT_TRUE(h.group("g")->classic);
  EXPECT_EQ(h.classic("g").state, ClassicState::kPreparingRebalance) << "it has to assign anew";
  EXPECT_EQ(h.classic("g").generation, 2);
  const auto joined = h.ask<JoinGroupResponse>(join_request(h, "g", classic_options(a)));
  EXPECT_EQ(joined.generation_id, 3);
  EXPECT_EQ(joined.leader, a);
  h.ask<SyncGroupResponse>(sync_request(h, "g", a, 3, {{a, blob({0, 1, 2, 3})}}));
  EXPECT_EQ(h.classic("g").state, ClassicState::kStable);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(MigrationTest, LastConsumerWhoseSessionEndsDowngradesTheGroupToo) {
  const std::string a = classic_member();
  beat("b", joining({"foo"}));
  // It joins with nothing in its hands, so it is in the new epoch at once.
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", classic_options(a))).generation_id, 2);
  EXPECT_EQ(h.ask<SyncGroupResponse>(sync_request(h, "g", a, 2)).error_code, ErrorCode::kNone);
  for (int i = 0; i < 8; ++i) {
    h.advance(5'000);
    EXPECT_EQ(classic_beat(a, 2), ErrorCode::kNone);
  }
  ASSERT_TRUE(h.group("g")->consumer);
  h.advance(5'000);  // the session of b: 45 s
  ASSERT_TRUE(h.group("g")->classic);
  EXPECT_NE(h.classic("g").find(a), nullptr);
}

TEST_F(MigrationTest, StaticClassicMemberThatReplacesTheLastConsumerDowngradesTheGroup) {
  auto options = joining({"foo"});
  options.instance_id = "i";
  beat("b", options);
  auto classic = classic_options();
  classic.instance_id = "i";
  const auto joined = h.ask<JoinGroupResponse>(join_request(h, "g", classic));
  EXPECT_EQ(joined.error_code, ErrorCode::kNone);
  ASSERT_TRUE(h.group("g")->classic);
  EXPECT_EQ(h.classic("g").state, ClassicState::kStable) << "nothing changed but the protocol";
  const auto sync =
      h.ask<SyncGroupResponse>(sync_request(h, "g", joined.member_id, joined.generation_id, {}, "i"));
  EXPECT_EQ(sync.error_code, ErrorCode::kNone);
  EXPECT_EQ(count(synced(sync)), 4u) << "it keeps the partitions";
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(MigrationTest, StaticMembersOfEitherProtocolReplaceEachOther) {
  auto options = joining({"foo"});
  options.instance_id = "i";
  beat("b", options);
  beat("c", joining({"foo"}));
  auto classic = classic_options();
  classic.instance_id = "i";
  const auto joined = h.ask<JoinGroupResponse>(join_request(h, "g", classic));
  EXPECT_EQ(joined.error_code, ErrorCode::kNone);
  ASSERT_TRUE(h.group("g")->consumer) << "c still speaks the consumer protocol";
  EXPECT_EQ(h.consumer("g").find("b"), nullptr);
  const Beat back = beat("b2", options);
  EXPECT_EQ(back.error_code, ErrorCode::kNone) << "no goodbye is asked of a classic member";
  EXPECT_EQ(h.consumer("g").find(joined.member_id), nullptr);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(MigrationTest, ClassicMembersJoinAConsumerGroup) {
  beat("b", joining({"foo"}));
  const std::string a = claim();
  const auto joined = h.ask<JoinGroupResponse>(join_request(h, "g", classic_options(a)));
  EXPECT_EQ(joined.error_code, ErrorCode::kNone);
  EXPECT_EQ(joined.generation_id, 3);
  EXPECT_EQ(h.ask<SyncGroupResponse>(sync_request(h, "g", a, 3)).error_code, ErrorCode::kNone);
  EXPECT_EQ(classic_beat(a, 3), ErrorCode::kNone);
  EXPECT_EQ(classic_beat(a, 2), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(classic_beat("b", 2), ErrorCode::kUnknownMemberId) << "b speaks the other protocol";
  beat("b", {.epoch = 2, .owned = Assignment{{kFoo, {0, 1}}}});
  beat("b", {.epoch = 2, .owned = Assignment{{kFoo, {0, 1}}}});
  EXPECT_EQ(classic_beat(a, 3), ErrorCode::kRebalanceInProgress) << "its partitions are free now";
}

TEST_F(MigrationTest, ClassicMemberWithoutACommonProtocolOrWithRubbishIsRefused) {
  beat("b", joining({"foo"}));
  const std::string a = claim();
  h.ask<JoinGroupResponse>(join_request(h, "g", classic_options(a)));
  auto other = classic_options("x");
  other.protocols = {{"roundrobin", subscription_blob({"foo"})}};
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", other)).error_code,
            ErrorCode::kInconsistentGroupProtocol);
  auto rubbish = classic_options("x");
  rubbish.protocols = {{"range", "\x01"}};
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", rubbish)).error_code,
            ErrorCode::kInconsistentGroupProtocol);
  auto connect = classic_options("x");
  connect.type = "connect";
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", connect)).error_code,
            ErrorCode::kInconsistentGroupProtocol);
  EXPECT_EQ(h.consumer("g").members().size(), 2u);
}

TEST_F(MigrationTest, ClassicMemberThatIsToldToRejoinAndDoesNotIsFenced) {
  const std::string a = classic_member();
  beat("b", joining({"foo"}));
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(classic_beat(a, 1), ErrorCode::kRebalanceInProgress);
    beat("b", {.epoch = h.consumer("g").find("b")->epoch});
    h.advance(5'000);
  }
  EXPECT_EQ(h.consumer("g").find(a), nullptr) << "60 s after it was told to";
}

TEST_F(MigrationTest, ClassicMemberThatJoinsAndDoesNotSyncIsFenced) {
  beat("b", joining({"foo"}));
  const std::string a = claim();
  auto options = classic_options(a);
  options.session_timeout_ms = 100'000;
  options.rebalance_timeout_ms = 20'000;
  h.ask<JoinGroupResponse>(join_request(h, "g", options));
  h.advance(19'999);
  EXPECT_NE(h.consumer("g").find(a), nullptr);
  h.advance(1);
  EXPECT_EQ(h.consumer("g").find(a), nullptr);
}

TEST_F(MigrationTest, ClassicMembersLeaveByLeaveGroup) {
  beat("b", joining({"foo"}));
  const std::string a = claim();
  h.ask<JoinGroupResponse>(join_request(h, "g", classic_options(a)));
  const auto left = h.ask<LeaveGroupResponse>(leave_request(h, "g", {{a, {}}, {"nobody", {}}, {a, {}}}));
  EXPECT_EQ(left.members[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(left.members[1].error_code, ErrorCode::kUnknownMemberId);
  EXPECT_EQ(h.consumer("g").find(a), nullptr);
}

TEST_F(MigrationTest, PolicyForbids) {
  classic_member();
  for (const auto policy : {MigrationPolicy::kDisabled, MigrationPolicy::kDowngrade}) {
    h.configure([&](GroupConfig& c) { c.consumer_migration_policy = policy; });
    EXPECT_EQ(beat("b", joining({"foo"})).error_code, ErrorCode::kGroupIdNotFound);
    EXPECT_TRUE(h.group("g")->classic);
  }
  h.configure([](GroupConfig& c) { c.consumer_migration_policy = MigrationPolicy::kUpgrade; });
  EXPECT_EQ(beat("b", joining({"foo"})).error_code, ErrorCode::kNone);
  beat("b", {.epoch = -1});
  EXPECT_TRUE(h.group("g")->consumer) << "not back";
  h.configure([](GroupConfig& c) { c.consumer_migration_policy = MigrationPolicy::kDisabled; });
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", classic_options("x"))).error_code,
            ErrorCode::kInconsistentGroupProtocol);
}

TEST_F(MigrationTest, GroupsThatCannotBeReadOrAreNoConsumersAreNotUpgraded) {
  const auto id = h.ask<JoinGroupResponse>(join_request(h, "g", {.type = "connect"}), 3).member_id;
  h.ask<SyncGroupResponse>(sync_request(h, "g", id, 1));
  EXPECT_EQ(beat("b", joining({"foo"})).error_code, ErrorCode::kGroupIdNotFound);

  GroupHarness other;
  const auto rubbish =
      other.ask<JoinGroupResponse>(join_request(other, "g", {.protocols = {{"range", "?"}}}), 3);
  other.ask<SyncGroupResponse>(sync_request(other, "g", rubbish.member_id, 1));
  EXPECT_EQ(other.ask<Beat>(beat_request(other, "g", "b", joining({"foo"}))).error_code,
            ErrorCode::kGroupIdNotFound);
  EXPECT_TRUE(other.group("g")->classic);
  EXPECT_EQ(other.text(), other.text_of_log());
}

TEST_F(MigrationTest, RefusedJoinDoesNotUpgrade) {
  const std::string a = classic_member();
  auto options = joining({});
  options.topics.reset();
  options.regex = "(";
  EXPECT_EQ(beat("b", options).error_code, ErrorCode::kInvalidRegularExpression);
  EXPECT_TRUE(h.group("g")->classic);
  EXPECT_EQ(classic_beat(a, 1), ErrorCode::kNone);
}

TEST_F(MigrationTest, FailedWriteDoesNotUpgrade) {
  const std::string a = classic_member();
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  EXPECT_EQ(beat("b", joining({"foo"})).error_code, ErrorCode::kCoordinatorNotAvailable);
  EXPECT_TRUE(h.group("g")->classic);
  EXPECT_EQ(classic_beat(a, 1), ErrorCode::kNone);
}

TEST_F(MigrationTest, MemberThatRestartsWithTheOtherProtocolUnderItsIdSwitches) {
  const std::string a = classic_member();
  beat("b", joining({"foo"}));
  auto options = joining({"foo"});
  EXPECT_EQ(beat(a, options).error_code, ErrorCode::kNone);
  EXPECT_FALSE(h.consumer("g").find(a)->classic.has_value());
  EXPECT_EQ(h.text(), h.text_of_log());
}

}  // namespace
}  // namespace milena::coordinator
