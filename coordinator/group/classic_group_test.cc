// Classic groups, rule by rule. The rules G1, G4, G5, G10 and G11 are the project's own list of what must
// hold of groups; the codes are Kafka's.
#include <gtest/gtest.h>

#include <algorithm>
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

struct ClassicGroupTest : testing::Test {
  GroupHarness h;

  ReplyToken join(const JoinOptions& options, int version = 9, std::string_view group = "g") {
    return h.send(join_request(h, group, options), version);
  }
  // Claims a member id first, as clients do.
  ReplyToken join_new(JoinOptions options = {}) {
    const auto response = h.ask<JoinGroupResponse>(join_request(h, "g", options));
    EXPECT_EQ(response.error_code, ErrorCode::kMemberIdRequired);
    options.member_id = response.member_id;
    return join(options);
  }
  JoinGroupResponse joined(ReplyToken token) {
    const auto response = h.answer<JoinGroupResponse>(token);
    EXPECT_EQ(response.error_code, ErrorCode::kNone);
    return response;
  }
  ReplyToken sync(std::string_view member, std::int32_t generation,
                  const std::vector<std::pair<std::string, std::string>>& assignments = {}) {
    return h.send(sync_request(h, "g", member, generation, assignments));
  }
  ErrorCode beat(std::string_view member, std::int32_t generation) {
    return h.ask<HeartbeatResponse>(heartbeat_request(h, "g", member, generation)).error_code;
  }
  // A stable group of one; the member's id.
  std::string one_member(const JoinOptions& options = {}) {
    const auto first = joined(options.instance_id ? join(options) : join_new(options));
    h.take<SyncGroupResponse>(h.send(
        sync_request(h, "g", first.member_id, first.generation_id, {{std::string(first.member_id), "a"}})));
    return std::string(first.member_id);
  }
  // A stable group of the member and another, who leads; returns the ids.
  std::pair<std::string, std::string> two_members() {
    const std::string a = one_member();
    const ReplyToken b_join = join_new();
    EXPECT_EQ(beat(a, h.classic("g").generation), ErrorCode::kRebalanceInProgress);
    const ReplyToken a_join = join({.member_id = a});
    joined(a_join);
    const auto b = joined(b_join);
    sync(b.member_id, b.generation_id);
    sync(a, b.generation_id, {{a, "for a"}, {std::string(b.member_id), "for b"}});
    return {a, std::string(b.member_id)};
  }
  std::int32_t generation() { return h.classic("g").generation; }
};

TEST_F(ClassicGroupTest, G5_FirstJoinWithoutMemberIdIsGivenOneToComeBackWith) {
  const auto response = h.ask<JoinGroupResponse>(join_request(h, "g", {}), 4);
  EXPECT_EQ(response.error_code, ErrorCode::kMemberIdRequired);
  EXPECT_EQ(response.protocol_name, std::nullopt) << "an error tells no protocol";
  EXPECT_TRUE(response.member_id.starts_with("client-"));
  EXPECT_EQ(response.member_id.size(), std::string("client-").size() + 36);
  const auto second = joined(join({.member_id = std::string(response.member_id)}, 4));
  EXPECT_EQ(second.member_id, response.member_id);
  EXPECT_EQ(second.generation_id, 1);
  EXPECT_EQ(second.leader, second.member_id);
}

TEST_F(ClassicGroupTest, G5_BeforeVersion4TheFirstJoinIsAdmittedAtOnce) {
  for (const int version : {0, 3}) {
    GroupHarness fresh;
    const auto response = fresh.ask<JoinGroupResponse>(join_request(fresh, "g", {}), version);
    EXPECT_EQ(response.error_code, ErrorCode::kNone);
    EXPECT_EQ(response.members.size(), 1u);
  }
}

TEST_F(ClassicGroupTest, G5_UnclaimedMemberIdExpiresWithTheSessionTimeout) {
  const auto response = h.ask<JoinGroupResponse>(join_request(h, "g", {}));
  EXPECT_TRUE(h.classic("g").is_pending(response.member_id));
  h.advance(9'999);
  EXPECT_TRUE(h.classic("g").is_pending(response.member_id));
  h.advance(1);
  EXPECT_FALSE(h.classic("g").is_pending(response.member_id));
  const auto late =
      h.ask<JoinGroupResponse>(join_request(h, "g", {.member_id = std::string(response.member_id)}));
  EXPECT_EQ(late.error_code, ErrorCode::kUnknownMemberId);
}

TEST_F(ClassicGroupTest, G5_MemberIdsDiffer) {
  const auto a = h.ask<JoinGroupResponse>(join_request(h, "g", {}));
  const auto b = h.ask<JoinGroupResponse>(join_request(h, "g", {}));
  EXPECT_NE(a.member_id, b.member_id);
}

TEST_F(ClassicGroupTest, MemberIdFitsTheWireHoweverLongTheClientIsCalled) {
  h.client_id = std::string(0x7fff, 'x');
  const auto first = h.ask<protocol::JoinGroupResponse>(join_request(h, "g", {}));
  EXPECT_EQ(first.error_code, ErrorCode::kMemberIdRequired);
  EXPECT_EQ(first.member_id.size(), 37u);
  h.client_id = std::string(0x7fff - 37, 'x');
  const auto second = h.ask<protocol::JoinGroupResponse>(join_request(h, "g", {}));
  EXPECT_EQ(second.member_id.size(), 0x7fffu);
}

TEST_F(ClassicGroupTest, G1_OnlyTheLeaderGetsTheMembers) {
  const auto [a, b] = two_members();
  h.advance(1);
  const ReplyToken a_join = join({.member_id = a});
  const ReplyToken b_join = join({.member_id = b});
  const auto leader = joined(a_join), follower = joined(b_join);
  EXPECT_EQ(leader.members.size(), 2u);
  EXPECT_TRUE(follower.members.empty());
  EXPECT_EQ(follower.leader, a);
  EXPECT_EQ(leader.generation_id, follower.generation_id);
}

TEST_F(ClassicGroupTest, G1_GenerationsIncreaseAndSyncGivesEachMemberItsPartOfIt) {
  const std::string a = one_member();
  EXPECT_EQ(generation(), 1);
  const ReplyToken b_join = join_new();
  joined(join({.member_id = a}));
  const std::string b(joined(b_join).member_id);
  EXPECT_EQ(generation(), 2);
  const ReplyToken b_sync = sync(b, 2);
  EXPECT_TRUE(h.waits(b_sync)) << "a follower waits for the leader";
  const ReplyToken a_sync = sync(a, 2, {{a, "for a"}, {b, "for b"}, {"nobody", "x"}});
  EXPECT_EQ(as_text(h.answer<SyncGroupResponse>(a_sync).assignment), "for a");
  EXPECT_EQ(as_text(h.answer<SyncGroupResponse>(b_sync).assignment), "for b");
  EXPECT_EQ(h.classic("g").state, ClassicState::kStable);
  EXPECT_EQ(as_text(h.ask<SyncGroupResponse>(sync_request(h, "g", b, 2)).assignment), "for b") << "and again";
}

TEST_F(ClassicGroupTest, G1_AnotherGenerationIsIllegalAndAnUnknownMemberUnknown) {
  const std::string a = one_member();
  EXPECT_EQ(beat(a, 1), ErrorCode::kNone);
  EXPECT_EQ(beat(a, 2), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(beat(a, 0), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(beat("nobody", 1), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(h.ask<SyncGroupResponse>(sync_request(h, "g", a, 2)).error_code, ErrorCode::kIllegalGeneration);
  EXPECT_EQ(h.ask<SyncGroupResponse>(sync_request(h, "g", "nobody", 1)).error_code,
            ErrorCode::kUnknownMemberId);
  const auto commit = h.ask<protocol::OffsetCommitResponse>(commit_request(h, "g", {{"t", 0, 5}}, a, 2));
  EXPECT_EQ(commit.topics[0].partitions[0].error_code, ErrorCode::kIllegalGeneration);
}

TEST_F(ClassicGroupTest, G1_DuringARebalanceHeartbeatsAndSyncsSaySo) {
  const auto [a, b] = two_members();
  join_new();
  EXPECT_EQ(beat(a, generation()), ErrorCode::kRebalanceInProgress);
  EXPECT_EQ(h.ask<SyncGroupResponse>(sync_request(h, "g", b, generation())).error_code,
            ErrorCode::kRebalanceInProgress);
}

TEST_F(ClassicGroupTest, G1_CommitBetweenJoinAndSyncIsRebalanceInProgress) {
  const auto first = joined(join_new());
  const auto commit =
      h.ask<protocol::OffsetCommitResponse>(commit_request(h, "g", {{"t", 0, 5}}, first.member_id, 1));
  EXPECT_EQ(commit.topics[0].partitions[0].error_code, ErrorCode::kRebalanceInProgress);
}

TEST_F(ClassicGroupTest, SyncWaitsAreEndedByANewRebalance) {
  const std::string a = one_member();
  const ReplyToken b_join = join_new();
  joined(join({.member_id = a}));
  const std::string b(joined(b_join).member_id);
  const ReplyToken b_sync = sync(b, 2);
  join_new();
  EXPECT_EQ(h.answer<SyncGroupResponse>(b_sync).error_code, ErrorCode::kRebalanceInProgress);
}

TEST_F(ClassicGroupTest, SyncByFollowerWithAssignmentsAssignsNothing) {
  const auto [a, b] = two_members();
  const ReplyToken a_join = join({.member_id = a});
  joined(join({.member_id = b}));
  joined(a_join);
  const ReplyToken b_sync = sync(b, generation(), {{a, "stolen"}, {b, "all"}});
  EXPECT_TRUE(h.waits(b_sync));
  sync(a, generation(), {{b, "fair"}});
  EXPECT_EQ(as_text(h.answer<SyncGroupResponse>(b_sync).assignment), "fair");
}

TEST_F(ClassicGroupTest, SyncChecksProtocolTypeAndNameFromVersion5) {
  const std::string a = one_member();
  auto request = sync_request(h, "g", a, 1);
  request.protocol_type = "connect";
  EXPECT_EQ(h.ask<SyncGroupResponse>(request).error_code, ErrorCode::kInconsistentGroupProtocol);
  request.protocol_type = "consumer";
  request.protocol_name = "sticky";
  EXPECT_EQ(h.ask<SyncGroupResponse>(request).error_code, ErrorCode::kInconsistentGroupProtocol);
  request.protocol_name = "range";
  EXPECT_EQ(h.ask<SyncGroupResponse>(request).error_code, ErrorCode::kNone);
}

TEST_F(ClassicGroupTest, G11_SilentMemberIsRemovedAtItsSessionTimeoutAndNotEarlier) {
  const auto [a, b] = two_members();
  h.advance(5'000);
  EXPECT_EQ(beat(a, generation()), ErrorCode::kNone);
  h.advance(4'999);
  EXPECT_EQ(h.classic("g").members().size(), 2u);
  h.advance(1);
  EXPECT_EQ(h.classic("g").find(b), nullptr) << "10 s after its sync";
  EXPECT_NE(h.classic("g").find(a), nullptr);
  EXPECT_EQ(beat(a, generation()), ErrorCode::kRebalanceInProgress);
}

TEST_F(ClassicGroupTest, G11_SessionTimeoutHasBounds) {
  const auto refused = [&](std::int32_t ms) {
    return h.ask<JoinGroupResponse>(join_request(h, "g", {.session_timeout_ms = ms})).error_code;
  };
  EXPECT_EQ(refused(5'999), ErrorCode::kInvalidSessionTimeout);
  EXPECT_EQ(refused(1'800'001), ErrorCode::kInvalidSessionTimeout);
  EXPECT_EQ(refused(6'000), ErrorCode::kMemberIdRequired);
  EXPECT_EQ(refused(1'800'000), ErrorCode::kMemberIdRequired);
}

TEST_F(ClassicGroupTest, G11_WhoDoesNotRejoinInTimeIsOut) {
  const auto [a, b] = two_members();
  const ReplyToken a_join = join({.member_id = a});
  for (int i = 0; i < 11; ++i) {
    h.advance(5'000);
    EXPECT_EQ(beat(b, generation()), ErrorCode::kRebalanceInProgress) << "alive, but it does not join";
  }
  EXPECT_TRUE(h.waits(a_join));
  h.advance(5'000);  // the rebalance timeout of 60 s
  EXPECT_EQ(joined(a_join).members.size(), 1u);
  EXPECT_EQ(beat(b, generation()), ErrorCode::kUnknownMemberId);
}

TEST_F(ClassicGroupTest, G11_WhoDoesNotSyncInTimeIsOut) {
  const auto first = joined(join_new());
  h.advance(9'000);
  EXPECT_EQ(beat(first.member_id, 1), ErrorCode::kNone);
  for (int i = 0; i < 6; ++i) {
    h.advance(9'000);
    beat(first.member_id, 1);
  }
  EXPECT_EQ(beat(first.member_id, 1), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(h.classic("g").state, ClassicState::kEmpty);
}

TEST_F(ClassicGroupTest, G11_NewMemberThatIsNotThereAnyMoreIsOutAfterFiveMinutes) {
  one_member({.session_timeout_ms = 600'000, .rebalance_timeout_ms = 1'200'000});
  const ReplyToken ghost = join_new({.session_timeout_ms = 600'000, .rebalance_timeout_ms = 1'200'000});
  h.advance(299'999);
  EXPECT_EQ(h.classic("g").members().size(), 2u);
  h.advance(1);
  EXPECT_EQ(h.classic("g").members().size(), 1u);
  EXPECT_EQ(h.answer<JoinGroupResponse>(ghost).error_code, ErrorCode::kUnknownMemberId);
}

TEST_F(ClassicGroupTest, MemberThatWaitsForARebalanceDoesNotExpire) {
  const auto [a, b] = two_members();
  const ReplyToken a_join = join({.member_id = a});
  for (int i = 0; i < 5; ++i) {
    h.advance(9'000);
    beat(b, generation());
  }
  EXPECT_TRUE(h.waits(a_join)) << "45 s, and its session is 10 s";
  EXPECT_NE(h.classic("g").find(a), nullptr);
}

TEST_F(ClassicGroupTest, InitialRebalanceWaitsForOthersIfToldTo) {
  h.configure([](GroupConfig& c) { c.group_initial_rebalance_delay_ms = 3'000; });
  const ReplyToken a = join_new();
  h.advance(2'000);
  const ReplyToken b = join_new();
  h.advance(1'000);
  EXPECT_TRUE(h.waits(a)) << "somebody came, so it waits once more";
  h.advance(2'999);
  EXPECT_TRUE(h.waits(a));
  h.advance(1);
  EXPECT_EQ(joined(a).generation_id, 1);
  EXPECT_EQ(joined(b).generation_id, 1);
}

TEST_F(ClassicGroupTest, InitialDelaysEndWithTheRebalanceTimeout) {
  h.configure([](GroupConfig& c) { c.group_initial_rebalance_delay_ms = 3'000; });
  const ReplyToken a = join_new({.rebalance_timeout_ms = 7'000});
  h.advance(2'900);
  join_new({.rebalance_timeout_ms = 7'000});
  h.advance(2'900);
  join_new({.rebalance_timeout_ms = 7'000});
  h.advance(1'199);
  EXPECT_TRUE(h.waits(a));
  h.advance(1);
  EXPECT_EQ(joined(a).members.size(), 3u);
}

TEST_F(ClassicGroupTest, WithoutInitialDelayTheFirstMemberIsAnsweredAtOnce) {
  EXPECT_EQ(joined(join_new()).generation_id, 1);
}

TEST_F(ClassicGroupTest, ProtocolIsWhatMostMembersPreferAmongWhatAllKnow) {
  const std::string a = one_member({.protocols = {{"sticky", "1"}, {"range", "2"}, {"own", "3"}}});
  const ReplyToken b = join_new({.protocols = {{"range", "4"}, {"sticky", "5"}}});
  const ReplyToken c = join_new({.protocols = {{"range", "6"}, {"sticky", "7"}}});
  joined(join({.member_id = a, .protocols = {{"sticky", "1"}, {"range", "2"}, {"own", "3"}}}));
  joined(b);
  EXPECT_EQ(joined(c).protocol_name, "range");
  const auto leader = h.classic("g").find(a);
  EXPECT_EQ(*leader->metadata("range"), "2");
}

TEST_F(ClassicGroupTest, MemberThatSharesNoProtocolOrHasAnotherTypeIsRefused) {
  one_member();
  const auto other = h.ask<JoinGroupResponse>(join_request(h, "g", {.protocols = {{"sticky", ""}}}));
  EXPECT_EQ(other.error_code, ErrorCode::kInconsistentGroupProtocol);
  const auto connect = h.ask<JoinGroupResponse>(join_request(h, "g", {.type = "connect"}));
  EXPECT_EQ(connect.error_code, ErrorCode::kInconsistentGroupProtocol);
}

TEST_F(ClassicGroupTest, NoProtocolsOrNoTypeIsRefusedAndMakesNoGroup) {
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", {.protocols = {}})).error_code,
            ErrorCode::kInconsistentGroupProtocol);
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", {.type = ""})).error_code,
            ErrorCode::kInconsistentGroupProtocol);
  EXPECT_EQ(h.group("g"), nullptr);
}

TEST_F(ClassicGroupTest, RepeatedProtocolNamesCountOnce) {
  const std::vector<std::pair<std::string, std::string>> protocols(10'000, {"range", "m"});
  const auto first = joined(join_new({.protocols = protocols}));
  EXPECT_EQ(first.protocol_name, "range");
  EXPECT_EQ(h.classic("g").find(first.member_id)->protocols.size(), 1u);
}

TEST_F(ClassicGroupTest, MetadataThatNoRecordCouldHoldIsRefused) {
  const auto response =
      h.ask<JoinGroupResponse>(join_request(h, "g", {.protocols = {{"range", std::string(10 << 20, 'x')}}}));
  EXPECT_EQ(response.error_code, ErrorCode::kMessageTooLarge);
}

TEST_F(ClassicGroupTest, EmptyGroupIdIsInvalid) {
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "", {})).error_code, ErrorCode::kInvalidGroupId);
  EXPECT_EQ(h.ask<SyncGroupResponse>(sync_request(h, "", "m", 1)).error_code, ErrorCode::kInvalidGroupId);
  EXPECT_EQ(h.ask<HeartbeatResponse>(heartbeat_request(h, "", "m", 1)).error_code,
            ErrorCode::kInvalidGroupId);
  EXPECT_EQ(h.ask<LeaveGroupResponse>(leave_request(h, "", {{"m", {}}})).error_code,
            ErrorCode::kInvalidGroupId);
}

TEST_F(ClassicGroupTest, OddGroupIdsAreJustNames) {
  for (const std::string& id : {std::string("/../etc"), std::string("a\nb"), std::string(32'767, 'x')}) {
    const auto response = h.ask<JoinGroupResponse>(join_request(h, id, {}), 3);
    EXPECT_EQ(response.error_code, ErrorCode::kNone);
    EXPECT_NE(h.group(id), nullptr);
  }
}

TEST_F(ClassicGroupTest, JoinWithAMemberIdOfAGroupThatDoesNotExistIsUnknown) {
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", {.member_id = "guessed"})).error_code,
            ErrorCode::kUnknownMemberId);
  EXPECT_EQ(h.group("g"), nullptr);
}

TEST_F(ClassicGroupTest, FollowerThatRejoinsUnchangedGetsTheGenerationAndTheLeaderStartsANewOne) {
  const auto [a, b] = two_members();
  const std::int32_t before = generation();
  EXPECT_EQ(joined(join({.member_id = b})).generation_id, before);
  EXPECT_EQ(h.classic("g").state, ClassicState::kStable);
  const ReplyToken a_join = join({.member_id = a});
  EXPECT_TRUE(h.waits(a_join));
  EXPECT_EQ(h.classic("g").state, ClassicState::kPreparingRebalance);
}

TEST_F(ClassicGroupTest, FollowerWithOtherMetadataStartsARebalance) {
  const auto [a, b] = two_members();
  join({.member_id = b, .protocols = {{"range", "changed"}}});
  EXPECT_EQ(h.classic("g").state, ClassicState::kPreparingRebalance);
}

TEST_F(ClassicGroupTest, JoinAnswerThatWasLostIsGivenAgain) {
  const auto first = joined(join_new());
  const auto again = joined(join({.member_id = std::string(first.member_id)}));
  EXPECT_EQ(again.generation_id, 1);
  EXPECT_EQ(again.members.size(), 1u);
}

TEST_F(ClassicGroupTest, SecondJoinOfAWaitingMemberReplacesTheFirst) {
  const auto [a, b] = two_members();
  const ReplyToken first = join({.member_id = a});
  const ReplyToken second = join({.member_id = a});
  EXPECT_EQ(h.answer<JoinGroupResponse>(first).error_code, ErrorCode::kRebalanceInProgress);
  joined(join({.member_id = b}));
  joined(second);
}

TEST_F(ClassicGroupTest, LeavingStartsARebalanceAndTheLastOneEmptiesTheGroup) {
  const auto [a, b] = two_members();
  const auto left = h.ask<LeaveGroupResponse>(leave_request(h, "g", {{a, {}}}));
  EXPECT_EQ(left.members[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(h.classic("g").state, ClassicState::kPreparingRebalance);
  EXPECT_EQ(h.classic("g").leader, b);
  h.ask<LeaveGroupResponse>(leave_request(h, "g", {{b, {}}}));
  EXPECT_EQ(h.classic("g").state, ClassicState::kEmpty);
}

TEST_F(ClassicGroupTest, RebalancesAreCountedByTheirCause) {
  const auto count = [&](RebalanceCause cause) {
    return h.shard.machine()->rebalances().classic[static_cast<std::size_t>(cause)];
  };
  const auto [a, b] = two_members();
  const auto joins = count(RebalanceCause::kJoin);
  EXPECT_EQ(joins, 2u) << "both members rejoin in one";
  h.advance(9'000);
  EXPECT_EQ(beat(a, generation()), ErrorCode::kNone);
  EXPECT_EQ(count(RebalanceCause::kSessionTimeout), 0u);
  h.advance(1'000);
  EXPECT_EQ(count(RebalanceCause::kSessionTimeout), 1u) << "b is gone";
  joined(join({.member_id = a}));
  EXPECT_EQ(count(RebalanceCause::kJoin), joins) << "a member that is awaited begins none";
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(count(RebalanceCause::kSyncTimeout), 0u);
    h.advance(9'000);
    beat(a, generation());
  }
  EXPECT_EQ(count(RebalanceCause::kSyncTimeout), 1u);
  const std::string c = one_member();
  h.ask<LeaveGroupResponse>(leave_request(h, "g", {{c, {}}}));
  EXPECT_EQ(count(RebalanceCause::kLeave), 1u);
  EXPECT_EQ(count(RebalanceCause::kOther), 0u);
  h.load();
  EXPECT_EQ(count(RebalanceCause::kJoin), 0u) << "counted since the log was loaded";
}

TEST_F(ClassicGroupTest, LeaveAnswersForEveryMemberOfTheRequest) {
  const auto [a, b] = two_members();
  const auto left =
      h.ask<LeaveGroupResponse>(leave_request(h, "g", {{a, {}}, {"nobody", {}}, {b, "no instance"}}));
  EXPECT_EQ(left.error_code, ErrorCode::kNone);
  EXPECT_EQ(left.members[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(left.members[1].error_code, ErrorCode::kUnknownMemberId);
  EXPECT_EQ(left.members[2].error_code, ErrorCode::kUnknownMemberId);
  EXPECT_EQ(h.ask<LeaveGroupResponse>(leave_request(h, "none", {{"x", {}}})).members[0].error_code,
            ErrorCode::kUnknownMemberId);
}

TEST_F(ClassicGroupTest, LeaveBeforeVersion3NamesOneMember) {
  const std::string a = one_member();
  protocol::LeaveGroupRequest request;
  request.group_id = "g";
  request.member_id = "nobody";
  EXPECT_EQ(h.ask<LeaveGroupResponse>(request, 2).error_code, ErrorCode::kUnknownMemberId);
  request.member_id = h.keep(a);
  const auto left = h.ask<LeaveGroupResponse>(request, 0);
  EXPECT_EQ(left.error_code, ErrorCode::kNone);
  EXPECT_TRUE(left.members.empty());
  EXPECT_EQ(h.classic("g").state, ClassicState::kEmpty);
}

TEST_F(ClassicGroupTest, LeavingWhileWaitingForTheJoinAnswersIt) {
  const auto [a, b] = two_members();
  const ReplyToken a_join = join({.member_id = a});
  h.ask<LeaveGroupResponse>(leave_request(h, "g", {{a, {}}}));
  EXPECT_EQ(h.answer<JoinGroupResponse>(a_join).error_code, ErrorCode::kUnknownMemberId);
}

TEST_F(ClassicGroupTest, GroupMaxSizeRefusesTheOneTooMany) {
  h.configure([](GroupConfig& c) { c.group_max_size = 2; });
  two_members();
  const auto third = h.ask<JoinGroupResponse>(join_request(h, "g", {}));
  EXPECT_EQ(third.error_code, ErrorCode::kGroupMaxSizeReached);
  EXPECT_EQ(third.member_id, "");
}

TEST_F(ClassicGroupTest, LoweredMaxSizeDropsWhoRejoinsLast) {
  const auto [a, b] = two_members();
  h.configure([](GroupConfig& c) { c.group_max_size = 1; });
  h.load();
  EXPECT_EQ(h.classic("g").state, ClassicState::kPreparingRebalance);
  const ReplyToken a_join = join({.member_id = a});
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", {.member_id = b})).error_code,
            ErrorCode::kGroupMaxSizeReached);
  EXPECT_EQ(joined(a_join).members.size(), 1u);
}

TEST_F(ClassicGroupTest, UnclaimedMemberIdsAreBounded) {
  for (std::size_t i = 0; i < kMaxPendingMembers; ++i) {
    ASSERT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", {})).error_code, ErrorCode::kMemberIdRequired);
  }
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", {})).error_code, ErrorCode::kGroupMaxSizeReached);
}

// --- Static members (KIP-345).

TEST_F(ClassicGroupTest, G4_StaticMemberThatComesBackKeepsItsAssignmentWithoutARebalance) {
  const std::string old_id = one_member({.instance_id = "i"});
  const auto back = joined(join({.instance_id = "i"}));
  EXPECT_NE(back.member_id, old_id);
  EXPECT_EQ(back.generation_id, 1);
  EXPECT_TRUE(back.skip_assignment) << "it leads, and has nothing to assign (KIP-814)";
  EXPECT_EQ(back.leader, back.member_id);
  EXPECT_EQ(back.members.size(), 1u);
  EXPECT_EQ(h.classic("g").state, ClassicState::kStable);
  EXPECT_EQ(as_text(h.ask<SyncGroupResponse>(sync_request(h, "g", back.member_id, 1, {}, "i")).assignment),
            "a");
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(ClassicGroupTest, G4_BeforeVersion9TheReturnedLeaderIsToldTheOldLeader) {
  const std::string old_id = one_member({.instance_id = "i"});
  const auto back = joined(join({.instance_id = "i"}, 8));
  EXPECT_EQ(back.leader, old_id);
  EXPECT_TRUE(back.members.empty());
  EXPECT_FALSE(back.skip_assignment);
}

TEST_F(ClassicGroupTest, G4_TheReplacedMemberIsFenced) {
  const std::string old_id = one_member({.instance_id = "i"});
  joined(join({.instance_id = "i"}));
  EXPECT_EQ(h.ask<HeartbeatResponse>(heartbeat_request(h, "g", old_id, 1, "i")).error_code,
            ErrorCode::kFencedInstanceId);
  EXPECT_EQ(h.ask<SyncGroupResponse>(sync_request(h, "g", old_id, 1, {}, "i")).error_code,
            ErrorCode::kFencedInstanceId);
  EXPECT_EQ(
      h.ask<JoinGroupResponse>(join_request(h, "g", {.member_id = old_id, .instance_id = "i"})).error_code,
      ErrorCode::kFencedInstanceId);
  EXPECT_EQ(h.ask<LeaveGroupResponse>(leave_request(h, "g", {{old_id, "i"}})).members[0].error_code,
            ErrorCode::kFencedInstanceId);
}

TEST_F(ClassicGroupTest, G4_WaitingRequestsOfTheReplacedMemberAreFenced) {
  one_member({.instance_id = "i"});
  const ReplyToken b = join_new();
  const ReplyToken waiting = join({.member_id = h.classic("g").leader.value_or(""), .instance_id = "i"});
  joined(waiting);
  joined(b);
  // Both are in CompletingRebalance; the static one waits in a sync, and is replaced there.
  const std::string leader = h.classic("g").leader.value_or("");
  const ReplyToken static_sync = h.send(sync_request(h, "g", leader, generation(), {}, "i"));
  h.take<SyncGroupResponse>(static_sync);
  EXPECT_EQ(h.classic("g").state, ClassicState::kStable);
  join_new();
  const ReplyToken parked = join({.member_id = leader, .instance_id = "i"});
  EXPECT_TRUE(h.waits(parked));
  join({.instance_id = "i"});
  EXPECT_EQ(h.answer<JoinGroupResponse>(parked).error_code, ErrorCode::kFencedInstanceId);
}

TEST_F(ClassicGroupTest, G4_StaticMemberThatChangesTheProtocolStartsARebalance) {
  one_member({.instance_id = "i", .protocols = {{"range", "m"}, {"sticky", "m"}}});
  const ReplyToken back = join({.instance_id = "i", .protocols = {{"sticky", "m"}, {"range", "m"}}});
  EXPECT_EQ(joined(back).generation_id, 2);
}

TEST_F(ClassicGroupTest, G4_StaticMemberThatIsAwayIsNotDroppedByARebalance) {
  one_member({.instance_id = "i", .session_timeout_ms = 120'000, .rebalance_timeout_ms = 10'000});
  const ReplyToken b = join_new({.session_timeout_ms = 120'000, .rebalance_timeout_ms = 10'000});
  h.advance(10'000);
  const auto leader = joined(b);
  EXPECT_EQ(leader.members.size(), 2u) << "it keeps its place until its session ends";
  EXPECT_EQ(leader.leader, leader.member_id) << "but cannot lead";
}

TEST_F(ClassicGroupTest, G4_GroupWhoseMembersAreAllAwayAndAllowNoTimeWaitsForThem) {
  const JoinOptions options{.instance_id = "i", .rebalance_timeout_ms = 0};
  one_member(options);
  const std::string dynamic = std::string(h.ask<JoinGroupResponse>(join_request(h, "g", {})).member_id);
  join({.member_id = dynamic, .rebalance_timeout_ms = 0});
  h.ask<LeaveGroupResponse>(leave_request(h, "g", {{dynamic, {}}}));
  h.advance(3'000);
  EXPECT_EQ(h.classic("g").state, ClassicState::kPreparingRebalance);
  EXPECT_EQ(joined(join(options)).generation_id, 2);
}

TEST_F(ClassicGroupTest, G4_StaticMemberIsRemovedByInstanceIdAlone) {
  one_member({.instance_id = "i"});
  EXPECT_EQ(h.ask<LeaveGroupResponse>(leave_request(h, "g", {{"", "other"}})).members[0].error_code,
            ErrorCode::kUnknownMemberId);
  EXPECT_EQ(h.ask<LeaveGroupResponse>(leave_request(h, "g", {{"", "i"}})).members[0].error_code,
            ErrorCode::kNone);
  EXPECT_EQ(h.classic("g").state, ClassicState::kEmpty);
}

TEST_F(ClassicGroupTest, G4_FailedWriteOfAReplacementLeavesTheOldMemberInPlace) {
  const std::string old_id = one_member({.instance_id = "i"});
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  const auto refused = h.ask<JoinGroupResponse>(join_request(h, "g", {.instance_id = "i"}));
  EXPECT_EQ(refused.error_code, ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(h.ask<HeartbeatResponse>(heartbeat_request(h, "g", old_id, 1, "i")).error_code, ErrorCode::kNone);
}

// --- The log.

TEST_F(ClassicGroupTest, G9_StableGroupIsTheSameAfterARestart) {
  const auto [a, b] = two_members();
  const std::string before = h.text();
  h.load();
  EXPECT_EQ(h.text(), before);
  EXPECT_EQ(beat(a, 2), ErrorCode::kNone) << "members do not notice";
  EXPECT_EQ(beat(b, 2), ErrorCode::kNone);
  h.advance(10'000);
  EXPECT_TRUE(h.classic("g").members().empty()) << "and their sessions run from the restart";
}

TEST_F(ClassicGroupTest, AfterAFailedWriteOfTheAssignmentTheGroupRebalances) {
  const std::string id(joined(join_new()).member_id);
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  const auto failed = h.ask<SyncGroupResponse>(sync_request(h, "g", id, 1, {{id, "lost"}}));
  EXPECT_EQ(failed.error_code, ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(h.classic("g").state, ClassicState::kPreparingRebalance);
  EXPECT_EQ(beat(id, 1), ErrorCode::kRebalanceInProgress);
  EXPECT_EQ(joined(join({.member_id = id})).generation_id, 2);
  const auto second = h.ask<SyncGroupResponse>(sync_request(h, "g", id, 2, {{id, "a"}}));
  EXPECT_EQ(as_text(second.assignment), "a");
}

TEST_F(ClassicGroupTest, AnAssignmentThatDoesNotFitARecordFailsEveryMembersSync) {
  const auto [leader, follower] = two_members();
  const ReplyToken rejoining = join({.member_id = leader});
  joined(join({.member_id = follower}));
  joined(rejoining);
  const ReplyToken waiting = h.send(sync_request(h, "g", follower, 3));
  const std::string large(900'000, 'x');
  const auto failed =
      h.ask<SyncGroupResponse>(sync_request(h, "g", leader, 3, {{leader, large}, {follower, large}}));
  EXPECT_EQ(failed.error_code, ErrorCode::kUnknownServerError);
  EXPECT_EQ(h.answer<SyncGroupResponse>(waiting).error_code, ErrorCode::kUnknownServerError);
  EXPECT_EQ(h.classic("g").state, ClassicState::kPreparingRebalance);
  EXPECT_EQ(beat(leader, 3), ErrorCode::kRebalanceInProgress);
  EXPECT_EQ(beat(follower, 3), ErrorCode::kRebalanceInProgress);
  // Who does not come back is out when the time for joining is over.
  h.advance(60'000);
  EXPECT_EQ(beat(leader, 3), ErrorCode::kUnknownMemberId);
}

TEST_F(ClassicGroupTest, UnloadingTellsEveryoneWhoWaits) {
  const auto [a, b] = two_members();
  const ReplyToken waiting = join({.member_id = a});
  h.load();
  EXPECT_EQ(h.answer<JoinGroupResponse>(waiting).error_code, ErrorCode::kNotCoordinator);
}

TEST_F(ClassicGroupTest, WhileLoadingHeartbeatsAreTakenOnTrust) {
  const std::string a = one_member();
  h.shard.begin_load();
  EXPECT_EQ(beat(a, 1), ErrorCode::kNone);
  EXPECT_EQ(h.ask<JoinGroupResponse>(join_request(h, "g", {})).error_code,
            ErrorCode::kCoordinatorLoadInProgress);
  EXPECT_EQ(h.ask<SyncGroupResponse>(sync_request(h, "g", a, 1)).error_code,
            ErrorCode::kCoordinatorLoadInProgress);
}

// 500 members: the answers to a rebalance, and the bytes in them, grow with the members, not with their
// square.
TEST_F(ClassicGroupTest, BytesOfARebalanceAreLinearInTheMembers) {
  const auto answered_bytes = [](int members) {
    GroupHarness fresh;
    fresh.configure([](GroupConfig& c) { c.group_initial_rebalance_delay_ms = 1'000; });
    std::vector<ReplyToken> joins;
    for (int i = 0; i < members; ++i) {
      const auto id = fresh.ask<JoinGroupResponse>(join_request(fresh, "g", {})).member_id;
      joins.push_back(fresh.send(join_request(
          fresh, "g", {.member_id = std::string(id), .protocols = {{"range", std::string(100, 'm')}}})));
    }
    fresh.advance(60'000);
    std::size_t bytes = 0, lists = 0;
    for (const ReplyToken token : joins) {
      const auto response = fresh.take<JoinGroupResponse>(token);
      Arena arena;
      bytes += protocol::encode(*response, 9, arena).size();
      lists += response->members.empty() ? 0 : 1;
    }
    EXPECT_EQ(lists, 1u);
    return bytes;
  };
  const auto fifty = answered_bytes(50), five_hundred = answered_bytes(500);
  EXPECT_LT(five_hundred, 11 * fifty);
}

}  // namespace
}  // namespace milena::coordinator
