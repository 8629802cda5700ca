// Consumer groups (KIP-848), rule by rule: joining, epochs and fencing, reconciliation, regular expressions,
// static members, time-outs. G2, G4, G6 and G9 are the project's own list of what must hold of groups.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "coordinator/group/testing/requests.h"
#include "coordinator/group/topic_regex.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)
using Response = protocol::ConsumerGroupHeartbeatResponse;

const Uuid kFoo = FakeMetadata::id_of(1);
const Uuid kBar = FakeMetadata::id_of(2);

struct ConsumerGroupTest : testing::Test {
  ConsumerGroupTest() {
    h.add_topic("foo", 6);
    h.add_topic("bar", 3);
  }

  Response beat(std::string_view member, const BeatOptions& options, int version = 1) {
    return h.ask<Response>(beat_request(h, "g", member, options), version);
  }
  Response join(std::string_view member, std::vector<std::string> topics = {"foo"}) {
    const Response response = beat(member, joining(std::move(topics)));
    EXPECT_EQ(response.error_code, ErrorCode::kNone) << response.error_message.value_or("");
    return response;
  }
  // What a heartbeat of a member that just lives on is told.
  Response live(std::string_view member, std::int32_t epoch) { return beat(member, {.epoch = epoch}); }
  Response own(std::string_view member, std::int32_t epoch, Assignment owned) {
    return beat(member, {.epoch = epoch, .owned = std::move(owned)});
  }
  const ConsumerGroupMember& member(std::string_view id) { return *h.consumer("g").find(id); }
  std::size_t owned_count(std::string_view id) {
    std::size_t n = 0;
    for (const auto& [topic, partitions] : member(id).assigned) n += partitions.size();
    return n;
  }
  // Plays the members until nobody has anything to do: they give up what they are told to at once.
  void settle(const std::vector<std::string>& ids) {
    for (int round = 0; round < 10; ++round) {
      for (const std::string& id : ids) {
        const auto& m = member(id);
        Assignment owned;
        for (const auto& [topic, partitions] : m.assigned) {
          for (const auto& each : partitions) owned[topic].push_back(each.partition);
        }
        own(id, m.epoch, owned);
      }
    }
    EXPECT_EQ(h.consumer("g").state(), "Stable");
  }

  GroupHarness h;
};

TEST_F(ConsumerGroupTest, FirstMemberGetsEverything) {
  const Response response = join("a");
  EXPECT_EQ(response.member_id, "a");
  EXPECT_EQ(response.member_epoch, 2) << "a group begins at epoch 1, and its first member bumps it";
  EXPECT_EQ(response.heartbeat_interval_ms, 5'000);
  EXPECT_EQ(assignment_of(response), (Assignment{{kFoo, {0, 1, 2, 3, 4, 5}}}));
  EXPECT_EQ(h.consumer("g").state(), "Stable");
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(ConsumerGroupTest, Version0MayLeaveTheMemberIdToTheCoordinator) {
  const Response response = beat("", joining({"foo"}), 0);
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  EXPECT_TRUE(Uuid::parse(response.member_id.value_or(""))) << "in the form of ids that clients make up";
  EXPECT_EQ(beat("", joining({"foo"}), 1).error_code, ErrorCode::kInvalidRequest);
}

TEST_F(ConsumerGroupTest, MalformedRequestsAreInvalidAndMakeNoGroup) {
  const auto code = [&](std::string_view id, const BeatOptions& options) {
    return beat(id, options).error_code;
  };
  auto full = joining({"foo"});
  auto no_timeout = full;
  no_timeout.rebalance_timeout_ms = -1;
  EXPECT_EQ(code("a", no_timeout), ErrorCode::kInvalidRequest);
  auto no_topics = full;
  no_topics.topics.reset();
  EXPECT_EQ(code("a", no_topics), ErrorCode::kInvalidRequest);
  auto owns = full;
  owns.owned = Assignment{{kFoo, {0}}};
  EXPECT_EQ(code("a", owns), ErrorCode::kInvalidRequest);
  auto says_nothing = full;
  says_nothing.owned.reset();
  EXPECT_EQ(code("a", says_nothing), ErrorCode::kInvalidRequest);
  auto instance = full;
  instance.instance_id = "  ";
  EXPECT_EQ(code("a", instance), ErrorCode::kInvalidRequest);
  auto rack = full;
  rack.rack_id = "";
  EXPECT_EQ(code("a", rack), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code("", full), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code("a", {.epoch = -2}), ErrorCode::kInvalidRequest);
  EXPECT_EQ(code("a", {.epoch = -3}), ErrorCode::kInvalidRequest);
  EXPECT_EQ(h.ask<Response>(beat_request(h, "", "a", full)).error_code, ErrorCode::kInvalidRequest);
  auto assignor = full;
  assignor.assignor = "custom";
  EXPECT_EQ(code("a", assignor), ErrorCode::kUnsupportedAssignor);
  EXPECT_EQ(h.group("g"), nullptr);
}

TEST_F(ConsumerGroupTest, UnknownGroupAndUnknownMember) {
  EXPECT_EQ(live("a", 5).error_code, ErrorCode::kGroupIdNotFound);
  join("a");
  EXPECT_EQ(live("b", 5).error_code, ErrorCode::kUnknownMemberId);
  EXPECT_EQ(beat("b", {.epoch = -1}).error_code, ErrorCode::kUnknownMemberId);
}

TEST_F(ConsumerGroupTest, IdleHeartbeatTellsNothingNewAndWritesNothing) {
  const Response joined = join("a");
  const auto batches = h.log.batch_count();
  const Response response = live("a", joined.member_epoch);
  EXPECT_EQ(response.error_code, ErrorCode::kNone);
  EXPECT_EQ(response.member_epoch, 2);
  EXPECT_FALSE(response.assignment.has_value());
  EXPECT_EQ(h.log.batch_count(), batches);
}

TEST_F(ConsumerGroupTest, FullHeartbeatIsToldEverything) {
  const Response joined = join("a");
  BeatOptions full = joining({"foo"});
  full.epoch = joined.member_epoch;
  full.owned = assignment_of(joined);
  EXPECT_EQ(assignment_of(beat("a", full)), assignment_of(joined));
}

TEST_F(ConsumerGroupTest, G2_PartitionIsGivenOnlyAfterItsOwnerLetItGo) {
  const Assignment all = assignment_of(join("a"));
  const Response b = join("b");
  EXPECT_EQ(b.member_epoch, 3);
  EXPECT_TRUE(assignment_of(b).empty()) << "all partitions are a's";
  EXPECT_EQ(member("b").state, MemberState::kUnreleased);

  const Response a = live("a", 2);
  EXPECT_EQ(count(assignment_of(a)), 3u) << "a is told what it keeps";
  EXPECT_EQ(a.member_epoch, 2) << "and stays in its epoch until it did";
  EXPECT_EQ(member("a").state, MemberState::kUnrevoked);
  EXPECT_TRUE(assignment_of(live("b", 3)).empty());
  EXPECT_EQ(own("a", 2, all).member_epoch, 2) << "it still has them";
  EXPECT_TRUE(assignment_of(live("b", 3)).empty());

  const Response done = own("a", 2, assignment_of(a));
  EXPECT_EQ(done.member_epoch, 3);
  EXPECT_EQ(member("a").state, MemberState::kStable);
  EXPECT_EQ(count(assignment_of(live("b", 3))), 3u);
  EXPECT_EQ(h.consumer("g").state(), "Stable");
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(ConsumerGroupTest, G2_PartitionIsGivenWhenItsOwnerIsFenced) {
  join("a");
  join("b");
  live("a", 2);
  h.advance(44'000);
  live("b", 3);
  h.advance(1'001);  // a's session of 45 s is over
  EXPECT_EQ(h.consumer("g").find("a"), nullptr);
  EXPECT_EQ(count(assignment_of(live("b", 3))), 6u);
}

TEST_F(ConsumerGroupTest, G6_EpochsAreChecked) {
  join("a");
  EXPECT_EQ(live("a", 3).error_code, ErrorCode::kFencedMemberEpoch);
  EXPECT_EQ(live("a", 1).error_code, ErrorCode::kFencedMemberEpoch);
}

TEST_F(ConsumerGroupTest, G6_ThePreviousEpochIsAcceptedFromWhoOwnsNoMoreThanItShould) {
  join("a");
  join("b");
  const Response told = live("a", 2);
  own("a", 2, assignment_of(told));
  EXPECT_EQ(member("a").epoch, 3);
  // The answer was lost: a repeats its request.
  EXPECT_EQ(own("a", 2, assignment_of(told)).member_epoch, 3);
  EXPECT_EQ(live("a", 2).error_code, ErrorCode::kFencedMemberEpoch) << "it does not say what it owns";
  EXPECT_EQ(own("a", 2, {{kFoo, {0, 1, 2, 3, 4, 5}}}).error_code, ErrorCode::kFencedMemberEpoch);
}

TEST_F(ConsumerGroupTest, G6_FencedMemberRejoinsAtEpoch0) {
  const Response first = join("a");
  const Response again = join("a");
  EXPECT_EQ(again.member_epoch, first.member_epoch);
  EXPECT_EQ(assignment_of(again), assignment_of(first));
}

TEST_F(ConsumerGroupTest, G6_GroupEpochGrowsWithSubscriptions) {
  join("a");
  EXPECT_EQ(h.consumer("g").epoch, 2);
  beat("a", {.epoch = 2, .topics = std::vector<std::string>{"foo", "bar"}});
  EXPECT_EQ(h.consumer("g").epoch, 3);
  EXPECT_EQ(owned_count("a"), 9u);
  beat("a", {.epoch = 3, .topics = std::vector<std::string>{"foo", "bar"}});
  EXPECT_EQ(h.consumer("g").epoch, 3) << "the same again";
}

TEST_F(ConsumerGroupTest, G6_GroupEpochGrowsWithTheTopicsMetadata) {
  join("a");
  h.edit_metadata([](FakeMetadata& m) { m.grow("foo", 8); }, {"foo"});
  const Response response = live("a", 2);
  EXPECT_EQ(response.member_epoch, 3);
  EXPECT_EQ(count(assignment_of(response)), 8u);
  h.edit_metadata([](FakeMetadata& m) { m.set_racks("foo", 0, {"r"}); }, {"foo"});
  EXPECT_EQ(live("a", 3).member_epoch, 4) << "racks are part of it";
  h.add_topic("unrelated", 4);
  EXPECT_EQ(live("a", 4).member_epoch, 4);
}

TEST_F(ConsumerGroupTest, G6_TopicThatAppearsOrDisappearsIsNoticed) {
  join("a", {"foo", "later"});
  EXPECT_EQ(owned_count("a"), 6u);
  h.add_topic("later", 2);
  EXPECT_EQ(count(assignment_of(live("a", 2))), 8u);
  const Uuid later = h.metadata->topics().at("later").id;
  h.edit_metadata([](FakeMetadata& m) { m.erase("later"); }, {"later"}, false, {{later, "later"}});
  const Response told = live("a", 3);
  EXPECT_EQ(assignment_of(told), (Assignment{{kFoo, {0, 1, 2, 3, 4, 5}}}));
  EXPECT_EQ(own("a", 3, assignment_of(told)).member_epoch, 4);
}

TEST_F(ConsumerGroupTest, UnsubscribedTopicIsTakenAwayAtOnce) {
  join("a", {"foo", "bar"});
  const Response told = beat("a", {.epoch = 2, .topics = std::vector<std::string>{"foo"}});
  EXPECT_EQ(assignment_of(told), (Assignment{{kFoo, {0, 1, 2, 3, 4, 5}}}));
  EXPECT_EQ(member("a").state, MemberState::kUnrevoked);
  EXPECT_EQ(own("a", 2, assignment_of(told)).member_epoch, 3);
}

TEST_F(ConsumerGroupTest, LeavingFreesAtOnceAndBumpsTheEpoch) {
  join("a");
  join("b");
  const Response left = beat("a", {.epoch = -1});
  EXPECT_EQ(left.error_code, ErrorCode::kNone);
  EXPECT_EQ(left.member_epoch, -1);
  EXPECT_EQ(h.consumer("g").find("a"), nullptr);
  EXPECT_EQ(h.consumer("g").epoch, 4);
  EXPECT_EQ(count(assignment_of(live("b", 3))), 6u);
  beat("b", {.epoch = -1});
  EXPECT_EQ(h.consumer("g").state(), "Empty");
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(ConsumerGroupTest, SessionEndsAfterItsTimeoutAndNotEarlier) {
  join("a");
  h.advance(44'999);
  EXPECT_EQ(h.consumer("g").members().size(), 1u);
  live("a", 2);
  h.advance(44'999);
  EXPECT_EQ(h.consumer("g").members().size(), 1u);
  h.advance(1);
  EXPECT_EQ(h.consumer("g").members().size(), 0u);
}

TEST_F(ConsumerGroupTest, WhoDoesNotGiveUpPartitionsInTimeIsFenced) {
  join("a");
  join("b");
  live("a", 2);
  for (int i = 0; i < 5; ++i) {
    h.advance(10'000);
    live("a", 2);
    live("b", 3);
  }
  EXPECT_NE(h.consumer("g").find("a"), nullptr);
  h.advance(10'000);
  EXPECT_EQ(h.consumer("g").find("a"), nullptr) << "60 s after it was asked to";
  EXPECT_NE(h.consumer("g").find("b"), nullptr);
}

TEST_F(ConsumerGroupTest, RestartKeepsMembersEpochsAndTimeouts) {
  join("a");
  join("b");
  live("a", 2);
  const std::string before = h.text();
  h.load();
  EXPECT_EQ(h.text(), before);
  EXPECT_EQ(live("b", 3).error_code, ErrorCode::kNone);
  h.advance(45'000);
  EXPECT_EQ(h.consumer("g").members().size(), 0u);
}

TEST_F(ConsumerGroupTest, GroupSettingsOverrideTheBrokers) {
  h.configure([](GroupConfig& c) {
    c.overrides = [](std::string_view group) {
      GroupOverrides overrides;
      if (group == "g") {
        overrides.consumer_session_timeout_ms = 10'000;
        overrides.consumer_heartbeat_interval_ms = 1'000;
      }
      return overrides;
    };
  });
  EXPECT_EQ(join("a").heartbeat_interval_ms, 1'000);
  h.advance(10'000);
  EXPECT_EQ(h.consumer("g").members().size(), 0u);
}

TEST_F(ConsumerGroupTest, AssignmentIntervalDelaysTheNextTarget) {
  h.configure([](GroupConfig& c) { c.consumer_assignment_interval_ms = 1'000; });
  join("a");
  const Response b = join("b");
  EXPECT_EQ(b.member_epoch, 2) << "in the epoch of the last target";
  EXPECT_EQ(h.consumer("g").state(), "Assigning");
  h.advance(1'000);
  EXPECT_EQ(live("b", 2).member_epoch, 3);
}

TEST_F(ConsumerGroupTest, AssignmentIntervalDoesNotOutlastAClockThatGoesBack) {
  h.configure([](GroupConfig& c) { c.consumer_assignment_interval_ms = 1'000; });
  join("a");
  h.now.wall_ms -= 3'650LL * 86'400'000;
  EXPECT_EQ(join("b").member_epoch, 3) << "not ten years later";
}

TEST_F(ConsumerGroupTest, JoinWritesOnlyTheTargetsThatChange) {
  // Beside targets: the member, the group's epoch, the target's epoch, the member's assignment.
  const auto targets_written_by_join = [&](std::string_view id) {
    const auto before = h.log.end();
    join(id);
    return h.log.end() - before - 4;
  };
  EXPECT_EQ(targets_written_by_join("a"), 1);
  EXPECT_EQ(targets_written_by_join("b"), 2) << "a gives half of its partitions to b";
  EXPECT_EQ(targets_written_by_join("c"), 3);
  EXPECT_EQ(targets_written_by_join("d"), 2) << "of three with two each one gives";
  EXPECT_EQ(targets_written_by_join("e"), 2);
  EXPECT_EQ(targets_written_by_join("f"), 2);
  EXPECT_EQ(targets_written_by_join("g"), 1) << "everyone has one partition, none is left";
}

TEST_F(ConsumerGroupTest, MaxSizeRefusesNewMembersOnly) {
  h.configure([](GroupConfig& c) { c.consumer_max_size = 1; });
  join("a");
  EXPECT_EQ(beat("b", joining({"foo"})).error_code, ErrorCode::kGroupMaxSizeReached);
  EXPECT_EQ(join("a").error_code, ErrorCode::kNone);
}

TEST_F(ConsumerGroupTest, AssignorThatMostMembersWantIsUsed) {
  auto options = joining({"foo", "bar"});
  options.assignor = "range";
  beat("a", options);
  beat("b", options);
  settle({"a", "b"});
  EXPECT_EQ(*h.consumer("g").target("a"), (Assignment{{kFoo, {0, 1, 2}}, {kBar, {0, 1}}}));
  EXPECT_EQ(*h.consumer("g").target("b"), (Assignment{{kFoo, {3, 4, 5}}, {kBar, {2}}}));
}

// --- Static members.

BeatOptions static_joining(std::string instance) {
  auto options = joining({"foo"});
  options.instance_id = std::move(instance);
  return options;
}

TEST_F(ConsumerGroupTest, G4_StaticMemberComesBackToItsPartitions) {
  beat("a", static_joining("i"));
  const auto left = beat("a", {.epoch = -2, .instance_id = "i"});
  EXPECT_EQ(left.member_epoch, -2);
  EXPECT_EQ(h.consumer("g").epoch, 2) << "no rebalance";
  const Response other = join("b");
  EXPECT_TRUE(assignment_of(other).empty()) << "its partitions wait for it";
  const Response back = beat("a2", static_joining("i"));
  EXPECT_EQ(back.error_code, ErrorCode::kNone);
  EXPECT_EQ(h.consumer("g").find("a"), nullptr);
  EXPECT_EQ(count(assignment_of(back)), 3u);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(ConsumerGroupTest, G4_InstanceIdIsTakenUntilItsMemberLeaves) {
  beat("a", static_joining("i"));
  EXPECT_EQ(beat("b", static_joining("i")).error_code, ErrorCode::kUnreleasedInstanceId);
  EXPECT_EQ(beat("b", {.epoch = 2, .instance_id = "i"}).error_code, ErrorCode::kFencedInstanceId);
  EXPECT_EQ(beat("b", {.epoch = 2, .instance_id = "j"}).error_code, ErrorCode::kUnknownMemberId);
  EXPECT_EQ(beat("b", {.epoch = -1, .instance_id = "i"}).error_code, ErrorCode::kFencedInstanceId);
  h.advance(45'000);
  EXPECT_EQ(beat("b", static_joining("i")).error_code, ErrorCode::kNone) << "or its session ends";
}

TEST_F(ConsumerGroupTest, G4_StaticMemberThatStaysAwayIsFencedAtTheEndOfItsSession) {
  beat("a", static_joining("i"));
  beat("a", {.epoch = -2, .instance_id = "i"});
  h.advance(44'999);
  EXPECT_EQ(h.consumer("g").members().size(), 1u);
  h.advance(1);
  EXPECT_EQ(h.consumer("g").members().size(), 0u);
}

TEST_F(ConsumerGroupTest, G4_StaticMemberMayComeBackUnderItsOldId) {
  beat("a", static_joining("i"));
  beat("a", {.epoch = -2, .instance_id = "i"});
  const Response back = beat("a", static_joining("i"));
  EXPECT_EQ(back.error_code, ErrorCode::kNone);
  EXPECT_EQ(count(assignment_of(back)), 6u);
  EXPECT_EQ(h.text(), h.text_of_log());
}

// --- Regular expressions.

BeatOptions regex_joining(std::string regex) {
  auto options = joining({});
  options.topics.reset();
  options.regex = std::move(regex);
  return options;
}

TEST_F(ConsumerGroupTest, RegexGetsMatchingTopicsAtOnceAndNewOnesLater) {
  const Response response = beat("a", regex_joining("fo+"));
  EXPECT_EQ(assignment_of(response), (Assignment{{kFoo, {0, 1, 2, 3, 4, 5}}}));
  h.add_topic("foo2", 2);
  EXPECT_EQ(live("a", 2).member_epoch, 2) << "the whole name has to match";
  h.add_topic("fooo", 2);
  EXPECT_EQ(live("a", 2).member_epoch, 2) << "not looked at again within ten seconds";
  h.advance(10'001);
  EXPECT_EQ(count(assignment_of(live("a", 2))), 8u);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(ConsumerGroupTest, RegexIsLookedAtAgainWhenWhatItMatchesCouldNotBeWritten) {
  beat("a", regex_joining("fo+"));
  h.add_topic("fooo", 2);
  h.advance(10'001);
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  EXPECT_EQ(live("a", 2).error_code, ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(count(assignment_of(live("a", 2))), 8u);
}

TEST_F(ConsumerGroupTest, RegexIsLookedAtAgainAfterItsRefreshInterval) {
  beat("a", regex_joining(".*"));
  EXPECT_EQ(owned_count("a"), 9u);
  const Uuid bar = kBar;
  h.edit_metadata([](FakeMetadata& m) { m.erase("bar"); }, {"bar"}, false, {{bar, "bar"}});
  EXPECT_EQ(h.consumer("g").regexes().at(".*").topics.size(), 2u);
  live("a", 2);
  own("a", 2, {{kFoo, {0, 1, 2, 3, 4, 5}}});
  for (int i = 0; i < 61; ++i) {
    h.advance(10'000);
    live("a", member("a").epoch);
  }
  EXPECT_EQ(h.consumer("g").regexes().at(".*").topics.size(), 1u);
}

TEST_F(ConsumerGroupTest, InvalidRegexIsRefusedAndChangesNothing) {
  for (const char* regex : {"(", "a{2,1}", "[z-a]", "(?<=look)behind", "\\1"}) {
    const Response response = beat("a", regex_joining(regex));
    EXPECT_EQ(response.error_code, ErrorCode::kInvalidRegularExpression) << regex;
    EXPECT_TRUE(response.error_message.value_or("").starts_with("SubscribedTopicRegex `"));
  }
  EXPECT_EQ(h.group("g"), nullptr);
}

TEST_F(ConsumerGroupTest, ExpressionsThatHangOtherEnginesAreHarmless) {
  h.add_topic(std::string(249, 'a') + "!", 1);
  EXPECT_EQ(beat("a", regex_joining("(a+)+$")).error_code, ErrorCode::kNone);
  EXPECT_EQ(beat("b", regex_joining("((a*)*)*b")).error_code, ErrorCode::kNone);
  EXPECT_EQ(beat("c", regex_joining(std::string(1 << 20, 'x'))).error_code,
            ErrorCode::kInvalidRegularExpression);
  EXPECT_EQ(beat("d", regex_joining("(((a{100}){100}){100})")).error_code,
            ErrorCode::kInvalidRegularExpression);
}

TEST_F(ConsumerGroupTest, RegexNeverResolvesToTopicsThatThePrincipalMayNotSee) {
  struct OnlyBar final : TopicFilter {
    bool may_describe(std::string_view topic) const override { return topic == "bar"; }
  } filter;
  h.topic_filter = &filter;
  EXPECT_EQ(assignment_of(beat("a", regex_joining(".*"))), (Assignment{{kBar, {0, 1, 2}}}));
}

TEST_F(ConsumerGroupTest, LastSubscriberOfARegexTakesItAlong) {
  beat("a", regex_joining("fo+"));
  beat("b", regex_joining("fo+"));
  beat("a", {.epoch = 2, .topics = std::vector<std::string>{"bar"}, .regex = ""});
  EXPECT_TRUE(h.consumer("g").regexes().contains("fo+"));
  EXPECT_TRUE(member("a").subscribed_regex.empty());
  beat("b", {.epoch = -1});
  EXPECT_TRUE(h.consumer("g").regexes().empty());
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(ConsumerGroupTest, NamesAndRegexAddUp) {
  auto options = joining({"bar"});
  options.regex = "f.*";
  beat("a", options);
  EXPECT_EQ(owned_count("a"), 9u);
  beat("a", {.epoch = 2, .topics = std::vector<std::string>{}});
  EXPECT_EQ(owned_count("a"), 6u);
}

// --- Failure.

TEST_F(ConsumerGroupTest, FailedWriteChangesNothing) {
  join("a");
  const std::string before = h.text();
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  EXPECT_EQ(beat("b", joining({"foo"})).error_code, ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(h.text(), before);
  h.log.fail_next(ErrorCode::kKafkaStorageError);
  EXPECT_EQ(beat("a", {.epoch = -1}).error_code, ErrorCode::kNotCoordinator);
  EXPECT_EQ(h.text(), before);
}

TEST_F(ConsumerGroupTest, MemberWhoseTimeIsUpGoesWhenTheLogTakesIt) {
  join("a");
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  h.advance(45'000);
  EXPECT_EQ(h.consumer("g").members().size(), 1u);
  h.advance(kFenceRetryMs);
  EXPECT_EQ(h.consumer("g").members().size(), 0u);
}

TEST_F(ConsumerGroupTest, MetadataCheckIsNotForgottenWhenItsWriteFails) {
  join("a");
  h.edit_metadata([](FakeMetadata& m) { m.grow("foo", 8); }, {"foo"});
  h.log.fail_next(ErrorCode::kNotEnoughReplicas);
  live("a", 2);
  EXPECT_EQ(live("a", 2).member_epoch, 3);
}

TEST_F(ConsumerGroupTest, EmptyClassicGroupBecomesAConsumerGroup) {
  h.ask<protocol::JoinGroupResponse>(join_request(h, "g", {}));
  EXPECT_TRUE(h.group("g")->classic);
  join("a");
  EXPECT_FALSE(h.group("g")->classic);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(ConsumerGroupTest, EmptyConsumerGroupBecomesAClassicOne) {
  join("a");
  beat("a", {.epoch = -1});
  const auto id = h.ask<protocol::JoinGroupResponse>(join_request(h, "g", {}));
  EXPECT_EQ(id.error_code, ErrorCode::kMemberIdRequired);
  EXPECT_FALSE(h.group("g")->consumer);
  const auto joined =
      h.ask<protocol::JoinGroupResponse>(join_request(h, "g", {.member_id = std::string(id.member_id)}));
  EXPECT_EQ(joined.error_code, ErrorCode::kNone);
  EXPECT_EQ(joined.generation_id, 1);
}

// N members: what a rebalance of the whole group costs grows with N, not with its square.
TEST_F(ConsumerGroupTest, RecordsOfARebalanceAreLinearInTheMembers) {
  const auto records_for_last_join = [](int members) {
    GroupHarness fresh;
    fresh.add_topic("foo", 1'000);
    for (int i = 0; i < members; ++i) {
      fresh.ask<Response>(beat_request(fresh, "g", "m" + std::to_string(i), joining({"foo"})));
    }
    const auto before = fresh.log.end();
    fresh.ask<Response>(beat_request(fresh, "g", "last", joining({"foo"})));
    return fresh.log.end() - before;
  };
  EXPECT_LE(records_for_last_join(100), 105);
}

}  // namespace
}  // namespace milena::coordinator
