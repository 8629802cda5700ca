// Offsets: G3, G7, G8, G9 and G10 of the project's list of what must hold of groups.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "coordinator/group/testing/requests.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteResponse;
using FetchedGroup = protocol::OffsetFetchResponse::OffsetFetchResponseGroup;

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kRetentionMs = 7 * kDayMs;
constexpr std::int64_t kCheckMs = 600'000;

struct OffsetsTest : testing::Test {
  OffsetsTest() { h.add_topic("t", 4); }

  ErrorCode commit(const std::vector<OffsetToCommit>& offsets, std::string_view member = "",
                   std::int32_t generation = -1, int version = 9) {
    const auto response =
        h.ask<OffsetCommitResponse>(commit_request(h, "g", offsets, member, generation), version);
    return response.topics.back().partitions.back().error_code;
  }
  std::int64_t fetch(std::string topic = "t", std::int32_t partition = 0) {
    return fetched(std::move(topic), partition).committed_offset.value;
  }
  FetchedGroup::OffsetFetchResponseTopics::OffsetFetchResponsePartitions fetched(
      std::string topic = "t", std::int32_t partition = 0, bool require_stable = false) {
    const auto token = h.send_as(fetch_request(h, "g", {{std::move(topic), partition}}, require_stable), 9);
    return h.answer<FetchedGroup>(token).topics[0].partitions[0];
  }
  FetchedGroup fetch_all() {
    FetchOffsets request;
    request.group.group_id = "g";
    return h.answer<FetchedGroup>(h.send_as(request, 9));
  }
  OffsetDeleteResponse remove(const std::string& topic, std::int32_t partition) {
    using Topic = protocol::OffsetDeleteRequest::OffsetDeleteRequestTopic;
    protocol::OffsetDeleteRequest request;
    request.group_id = "g";
    request.topics = h.arena().array<Topic>(1);
    request.topics[0].name = h.keep(topic);
    request.topics[0].partitions = h.arena().array<Topic::OffsetDeleteRequestPartition>(1);
    request.topics[0].partitions[0].partition_index = partition;
    return h.ask<OffsetDeleteResponse>(request);
  }
  // A stable classic group of one.
  std::string classic_member(const std::string& subscription = subscription_blob({"t"}),
                             std::string type = "consumer") {
    const auto joined = h.ask<protocol::JoinGroupResponse>(
        join_request(h, "g", {.type = std::move(type), .protocols = {{"range", subscription}}}), 3);
    h.ask<protocol::SyncGroupResponse>(sync_request(h, "g", joined.member_id, joined.generation_id));
    return std::string(joined.member_id);
  }
  void keep_alive(const std::string& member, std::int64_t ms) {
    for (std::int64_t passed = 0; passed < ms; passed += 9'000) {
      h.advance(9'000);
      ASSERT_EQ(h.ask<protocol::HeartbeatResponse>(heartbeat_request(h, "g", member, 1)).error_code,
                ErrorCode::kNone);
    }
  }
  protocol::TxnOffsetCommitResponse commit_in_transaction(std::int64_t producer, std::int64_t offset,
                                                          std::string_view member = "",
                                                          std::int32_t generation = -1) {
    using Topic = protocol::TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic;
    protocol::TxnOffsetCommitRequest request;
    request.group_id = "g";
    request.producer_id = producer;
    request.producer_epoch = 0;
    request.member_id = h.keep(std::string(member));
    request.generation_id_or_member_epoch = generation;
    request.topics = h.arena().array<Topic>(1);
    request.topics[0].name = "t";
    request.topics[0].partitions = h.arena().array<Topic::TxnOffsetCommitRequestPartition>(1);
    request.topics[0].partitions[0].committed_offset = offset;
    return h.ask<protocol::TxnOffsetCommitResponse>(request);
  }
  void end_transaction(std::int64_t producer, bool commit) {
    h.log.append_marker(producer, 0, commit);
    h.shard.transaction_ended(producer, commit, h.log.end());
    h.shard.committed(h.log.high_watermark());
  }

  GroupHarness h;
};

TEST_F(OffsetsTest, G3_TheLastCommitWins) {
  EXPECT_EQ(fetch(), -1);
  EXPECT_EQ(commit({{"t", 0, 5}}), ErrorCode::kNone);
  EXPECT_EQ(commit({{"t", 0, 3}, {"t", 1, 9}}), ErrorCode::kNone);
  EXPECT_EQ(fetch(), 3);
  EXPECT_EQ(fetch("t", 1), 9);
  EXPECT_EQ(fetch("t", 2), -1);
  h.load();
  EXPECT_EQ(fetch(), 3);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(OffsetsTest, G3_CommitIsAcknowledgedOnlyWhenTheLogHoldsIt) {
  h.log.commit_on_append(false);
  const auto token = h.send(commit_request(h, "g", {{"t", 0, 5}}), 9);
  EXPECT_TRUE(h.waits(token));
  const auto read = h.send_as(fetch_request(h, "g", {{"t", 0}}), 9);
  EXPECT_TRUE(h.waits(read)) << "nor is it shown before";
}

TEST_F(OffsetsTest, AnyOffsetIsTakenAsItIs) {
  for (const std::int64_t offset :
       {std::int64_t{-1}, std::int64_t{-2}, std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(commit({{"t", 0, offset}}), ErrorCode::kNone);
    EXPECT_EQ(fetch(), offset);
  }
}

TEST_F(OffsetsTest, G8_TooLongMetadataFailsItsPartitionOnly) {
  const auto response = h.ask<OffsetCommitResponse>(commit_request(h, "g",
                                                                   {{"t", 0, 1, std::string(4'096, 'x')},
                                                                    {"t", 1, 2, std::string(4'097, 'x')},
                                                                    {"t", 2, 3, std::nullopt}}),
                                                    9);
  EXPECT_EQ(response.topics[0].partitions[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(response.topics[1].partitions[0].error_code, ErrorCode::kOffsetMetadataTooLarge);
  EXPECT_EQ(response.topics[2].partitions[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(fetch("t", 1), -1);
  EXPECT_EQ(fetched("t", 0).metadata.value_or("").size(), 4'096u);
  EXPECT_EQ(fetched("t", 2).metadata, "") << "null is empty";
}

TEST_F(OffsetsTest, MemberMustBeOfTheGenerationAndOthersMayNotCommitIntoALiveGroup) {
  const std::string member = classic_member();
  EXPECT_EQ(commit({{"t", 0, 1}}, member, 1), ErrorCode::kNone);
  EXPECT_EQ(commit({{"t", 0, 2}}, member, 2), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(commit({{"t", 0, 2}}, "other", 1), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(commit({{"t", 0, 2}}), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(fetch(), 1);
}

TEST_F(OffsetsTest, GenerationOfAGroupThatDoesNotExist) {
  EXPECT_EQ(commit({{"t", 0, 1}}, "m", 1, 8), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(commit({{"t", 0, 1}}, "m", 1, 9), ErrorCode::kGroupIdNotFound);
  EXPECT_EQ(h.group("g"), nullptr);
  EXPECT_EQ(commit({{"t", 0, 1}}), ErrorCode::kNone);
  EXPECT_EQ(commit({{"t", 0, 1}}, "m", 1, 9), ErrorCode::kUnknownMemberId) << "a simple group has no members";
}

TEST_F(OffsetsTest, CommitsKeepAMemberAlive) {
  const std::string member = classic_member();
  for (int i = 0; i < 3; ++i) {
    h.advance(9'000);
    EXPECT_EQ(commit({{"t", 0, i}}, member, 1), ErrorCode::kNone);
  }
  h.advance(10'000);
  EXPECT_EQ(commit({{"t", 0, 9}}, member, 1), ErrorCode::kUnknownMemberId);
}

TEST_F(OffsetsTest, MembersOfAConsumerGroupCommitAtTheirEpoch) {
  using Beat = protocol::ConsumerGroupHeartbeatResponse;
  h.ask<Beat>(beat_request(h, "g", "a", joining({"t"})));
  EXPECT_EQ(commit({{"t", 0, 1}}, "a", 2), ErrorCode::kNone);
  EXPECT_EQ(commit({{"t", 0, 1}}, "a", 3), ErrorCode::kStaleMemberEpoch);
  EXPECT_EQ(commit({{"t", 0, 1}}, "a", 1), ErrorCode::kStaleMemberEpoch);
  EXPECT_EQ(commit({{"t", 0, 1}}, "b", 2), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(commit({{"t", 0, 1}}), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(commit({{"t", 0, 1}}, "a", 2, 8), ErrorCode::kUnsupportedVersion);
}

// A member that was moved on by a heartbeat may still commit with the epoch it knew (KIP-1251), for
// partitions that it had then and still has.
TEST_F(OffsetsTest, CommitFromAnEarlierEpochCountsForPartitionsHeldSince) {
  using Beat = protocol::ConsumerGroupHeartbeatResponse;
  h.ask<Beat>(beat_request(h, "g", "a", joining({"t"})));
  h.ask<Beat>(beat_request(h, "g", "b", joining({"t"})));
  const auto told = h.ask<Beat>(beat_request(h, "g", "a", {.epoch = 2}));
  const Assignment kept = assignment_of(told);
  EXPECT_EQ(h.ask<Beat>(beat_request(h, "g", "a", {.epoch = 2, .owned = kept})).member_epoch, 3);
  const std::int32_t still = kept.begin()->second.front();
  EXPECT_EQ(commit({{"t", still, 1}}, "a", 2), ErrorCode::kNone);
  EXPECT_EQ(commit({{"t", still, 1}}, "a", 1), ErrorCode::kStaleMemberEpoch);
  std::int32_t lost = 0;
  while (contains(kept.begin()->second, lost)) ++lost;
  EXPECT_EQ(commit({{"t", lost, 1}}, "a", 2), ErrorCode::kStaleMemberEpoch);
  EXPECT_EQ(commit({{"t", still, 7}, {"t", lost, 1}}, "a", 2), ErrorCode::kStaleMemberEpoch);
  EXPECT_EQ(fetch("t", still), 1) << "one lost partition spoils the commit";
}

TEST_F(OffsetsTest, FetchFromAConsumerGroupChecksWhoSaysWhoItIs) {
  using Beat = protocol::ConsumerGroupHeartbeatResponse;
  h.ask<Beat>(beat_request(h, "g", "a", joining({"t"})));
  auto request = fetch_request(h, "g", {{"t", 0}});
  const auto code = [&] { return h.answer<FetchedGroup>(h.send_as(request, 9)).error_code; };
  EXPECT_EQ(code(), ErrorCode::kNone);
  request.group.member_id = "a";
  request.group.member_epoch = 2;
  EXPECT_EQ(code(), ErrorCode::kNone);
  request.group.member_epoch = 1;
  EXPECT_EQ(code(), ErrorCode::kStaleMemberEpoch);
  request.group.member_id = "b";
  EXPECT_EQ(code(), ErrorCode::kUnknownMemberId);
}

TEST_F(OffsetsTest, FetchAllListsWhatIsCommitted) {
  EXPECT_TRUE(fetch_all().topics.empty());
  commit({{"t", 0, 1}, {"t", 2, 3}, {"u", 0, 4}});
  const auto all = fetch_all();
  ASSERT_EQ(all.topics.size(), 2u);
  EXPECT_EQ(all.topics[0].name, "t");
  EXPECT_EQ(all.topics[0].partitions.size(), 2u);
  EXPECT_EQ(all.topics[1].partitions[0].committed_offset, protocol::Offset{4});
}

TEST_F(OffsetsTest, FetchByIdDoesNotShowWhatWasCommittedForADeletedTopicOfThatName) {
  commit({{"t", 0, 5}});
  using Topic = protocol::OffsetFetchRequest::OffsetFetchRequestGroup::OffsetFetchRequestTopics;
  auto request = fetch_request(h, "g", {{"t", 0}});
  std::span<Topic> topics = request.group.topics.value_or(std::span<Topic>{});
  topics[0].topic_id = h.metadata->topics().at("t").id;
  EXPECT_EQ(h.answer<FetchedGroup>(h.send_as(request, 10)).topics[0].partitions[0].committed_offset.value, 5);
  topics[0].topic_id = FakeMetadata::id_of(77);
  EXPECT_EQ(h.answer<FetchedGroup>(h.send_as(request, 10)).topics[0].partitions[0].committed_offset.value,
            -1);
}

TEST_F(OffsetsTest, RefusedFetchTellsItInThePartitionsBeforeVersion2) {
  h.shard.unload(ErrorCode::kNotCoordinator);
  const auto request = fetch_request(h, "g", {{"t", 0}});
  const auto old = h.answer<FetchedGroup>(h.send_as(request, 1));
  EXPECT_EQ(old.topics[0].partitions[0].error_code, ErrorCode::kNotCoordinator);
  const auto newer = h.answer<FetchedGroup>(h.send_as(request, 2));
  EXPECT_EQ(newer.error_code, ErrorCode::kNotCoordinator);
  EXPECT_TRUE(newer.topics.empty());
}

TEST_F(OffsetsTest, FetchWhoseCommitTakesTooLongSendsTheClientToLookForTheCoordinator) {
  commit({{"t", 0, 1}});
  h.log.commit_on_append(false);
  const ReplyToken late = h.send(commit_request(h, "g", {{"t", 0, 2}}), 9);
  const ReplyToken old = h.send_as(fetch_request(h, "g", {{"t", 0}}), 1);
  h.advance(5'000);
  EXPECT_EQ(h.answer<OffsetCommitResponse>(late).topics[0].partitions[0].error_code,
            ErrorCode::kCoordinatorNotAvailable);
  const auto answer = h.answer<FetchedGroup>(old);
  EXPECT_EQ(answer.error_code, ErrorCode::kNotCoordinator) << "older consumers know no other way on";
  EXPECT_EQ(answer.topics[0].partitions[0].error_code, ErrorCode::kNotCoordinator)
      << "version 1 has no other place for it";
  EXPECT_EQ(answer.topics[0].partitions[0].committed_offset, -1);
}

// --- Deleting.

TEST_F(OffsetsTest, G10_OffsetsOfSubscribedTopicsAreNotDeleted) {
  const std::string member = classic_member(subscription_blob({"t"}));
  commit({{"t", 0, 1}, {"u", 0, 2}}, member, 1);
  EXPECT_EQ(remove("t", 0).topics[0].partitions[0].error_code, ErrorCode::kGroupSubscribedToTopic);
  EXPECT_EQ(remove("u", 0).topics[0].partitions[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(fetch("t", 0), 1);
  EXPECT_EQ(fetch("u", 0), -1);
  EXPECT_EQ(remove("u", 0).topics[0].partitions[0].error_code, ErrorCode::kNone)
      << "what is not there is gone";
}

TEST_F(OffsetsTest, G10_OffsetDeleteNeedsAGroupAndAnEmptyOneIfItIsNotOneOfConsumers) {
  EXPECT_EQ(remove("t", 0).error_code, ErrorCode::kGroupIdNotFound);
  classic_member("", "connect");
  EXPECT_EQ(remove("t", 0).error_code, ErrorCode::kNonEmptyGroup);
}

TEST_F(OffsetsTest, UnreadableSubscriptionProtectsAllOffsets) {
  const std::string member = classic_member("?");
  commit({{"t", 0, 1}}, member, 1);
  EXPECT_EQ(remove("t", 0).topics[0].partitions[0].error_code, ErrorCode::kGroupSubscribedToTopic);
}

TEST_F(OffsetsTest, SimpleGroupGoesWithItsLastOffset) {
  commit({{"t", 0, 1}});
  EXPECT_NE(h.group("g"), nullptr);
  remove("t", 0);
  EXPECT_EQ(h.group("g"), nullptr);
}

TEST_F(OffsetsTest, DeletedTopicTakesItsOffsetsAlong) {
  commit({{"t", 0, 1}, {"t", 1, 2}, {"u", 0, 3}});
  const Uuid id = h.metadata->topics().at("t").id;
  h.edit_metadata([](FakeMetadata& m) { m.erase("t"); }, {"t"}, false, {{FakeMetadata::id_of(50), "t"}});
  EXPECT_EQ(fetch(), 1) << "that was another topic of this name";
  h.change_metadata({h.metadata, {}, false, {{id, "t"}, {Uuid{}, "u"}}});
  EXPECT_EQ(fetch(), -1);
  EXPECT_EQ(fetch("t", 1), -1);
  EXPECT_EQ(fetch("u", 0), -1) << "committed without an id";
  EXPECT_EQ(h.text(), h.text_of_log());
}

// --- Expiry.

TEST_F(OffsetsTest, G7_SimpleConsumersOffsetExpiresAfterItsRetention) {
  commit({{"t", 0, 1}});
  h.advance(kDayMs);
  commit({{"t", 1, 2}});
  h.advance(kRetentionMs - kDayMs - 1);
  EXPECT_EQ(fetch(), 1);
  h.advance(1 + kCheckMs);
  EXPECT_EQ(fetch(), -1);
  EXPECT_EQ(fetch("t", 1), 2);
  h.advance(kDayMs);
  EXPECT_EQ(h.group("g"), nullptr);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(OffsetsTest, G7_OffsetsOfAnEmptyGroupExpireAfterItBecameEmpty) {
  const std::string member = classic_member();
  commit({{"t", 0, 1}}, member, 1);
  keep_alive(member, kDayMs);
  h.ask<protocol::LeaveGroupResponse>(leave_request(h, "g", {{member, {}}}));
  h.advance(kRetentionMs - 1);
  EXPECT_EQ(fetch(), 1) << "a day more than its commit";
  h.advance(1 + kCheckMs);
  EXPECT_EQ(fetch(), -1);
  EXPECT_EQ(h.group("g"), nullptr) << "and the group, for nothing is left of it";
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(OffsetsTest, G7_StableGroupLosesOnlyOffsetsOfTopicsThatItDoesNotRead) {
  h.configure([](GroupConfig& c) { c.offsets_retention_ms = 3'600'000; });
  const std::string member = classic_member(subscription_blob({"t"}));
  commit({{"t", 0, 1}, {"u", 0, 2}}, member, 1);
  keep_alive(member, 3'600'000 + kCheckMs);
  EXPECT_EQ(fetch(), 1);
  EXPECT_EQ(fetch("u", 0), -1);
}

TEST_F(OffsetsTest, G7_LiveGroupsOfOtherKindsAndRebalancingOnesLoseNothing) {
  h.configure([](GroupConfig& c) { c.offsets_retention_ms = 60'000; });
  const std::string member = classic_member("", "connect");
  commit({{"t", 0, 1}}, member, 1);
  keep_alive(member, 2 * kCheckMs);
  EXPECT_EQ(fetch(), 1);
}

TEST_F(OffsetsTest, G7_RetentionOfTheCommitItselfCountsFirst) {
  auto request = commit_request(h, "g", {{"t", 0, 1}});
  request.retention_time_ms = 60'000;
  h.ask<OffsetCommitResponse>(request, 4);
  EXPECT_EQ(h.text(), h.text_of_log()) << "the record keeps it";
  h.advance(kCheckMs);
  EXPECT_EQ(fetch(), -1);
}

TEST_F(OffsetsTest, G7_NothingExpiresByATimeThatIsDoubted) {
  constexpr std::int64_t kTenYearsMs = 3'650LL * 86'400'000;
  commit({{"t", 0, 1}});
  h.now.wall_ms += kTenYearsMs;
  h.now.doubted_ms = kTenYearsMs;
  h.advance(2 * kCheckMs);
  EXPECT_EQ(fetch(), 1);
  h.now.wall_ms -= 2 * kTenYearsMs;
  h.now.doubted_ms = 0;
  h.advance(2 * kCheckMs);
  EXPECT_EQ(fetch(), 1) << "back in time";
  h.now.wall_ms += 2 * kTenYearsMs;
  h.advance(2 * kCheckMs);
  EXPECT_EQ(fetch(), -1);
}

TEST_F(OffsetsTest, G7_RetentionOfALifetimeDoesNotOverflow) {
  auto request = commit_request(h, "g", {{"t", 0, 1}});
  request.retention_time_ms = std::numeric_limits<std::int64_t>::max();
  h.ask<OffsetCommitResponse>(request, 4);
  h.advance(2 * kRetentionMs);
  EXPECT_EQ(fetch(), 1);
}

TEST_F(OffsetsTest, EmptyGroupWithoutOffsetsIsDroppedAtTheNextLook) {
  const std::string member = classic_member();
  h.ask<protocol::LeaveGroupResponse>(leave_request(h, "g", {{member, {}}}));
  EXPECT_NE(h.group("g"), nullptr);
  h.advance(kCheckMs);
  EXPECT_EQ(h.group("g"), nullptr);
}

TEST_F(OffsetsTest, ManyExpiredOffsetsGoInSeveralBatches) {
  h.log.set_max_batch_bytes(1'000);
  for (int i = 0; i < 100; ++i) commit({{"t", i, i}});
  const auto before = h.log.batch_count();
  h.advance(kRetentionMs + kCheckMs);
  EXPECT_EQ(h.group("g"), nullptr);
  EXPECT_GT(h.log.batch_count() - before, 3u);
}

// --- Transactions.

TEST_F(OffsetsTest, TransactionalOffsetCountsWhenItsTransactionCommits) {
  commit({{"t", 0, 1}});
  EXPECT_EQ(commit_in_transaction(7, 5).topics[0].partitions[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(fetched().committed_offset.value, 1);
  EXPECT_EQ(fetched("t", 0, true).error_code, ErrorCode::kUnstableOffsetCommit);
  EXPECT_EQ(h.text(), h.text_of_log());
  end_transaction(7, true);
  EXPECT_EQ(fetched("t", 0, true).committed_offset.value, 5);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(OffsetsTest, AbortedTransactionLeavesNoTrace) {
  commit_in_transaction(7, 5);
  EXPECT_NE(h.group("g"), nullptr);
  end_transaction(7, false);
  EXPECT_EQ(h.group("g"), nullptr);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(OffsetsTest, CommitYoungerThanATransactionIsNotUndoneByIt) {
  commit_in_transaction(7, 5);
  commit({{"t", 0, 9}});
  end_transaction(7, true);
  EXPECT_EQ(fetch(), 9);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(OffsetsTest, G7_PendingOffsetIsNeverExpiredNorItsGroup) {
  commit({{"t", 0, 1}});
  commit_in_transaction(7, 5);
  h.advance(kRetentionMs + kCheckMs);
  EXPECT_EQ(fetch(), 1);
  end_transaction(7, true);
  EXPECT_EQ(fetch(), 5);
}

TEST_F(OffsetsTest, DeletingAnOffsetForgetsWhatTransactionsHold) {
  commit_in_transaction(7, 5);
  remove("t", 0);
  end_transaction(7, true);
  EXPECT_EQ(fetch(), -1);
  EXPECT_EQ(h.text(), h.text_of_log());
}

TEST_F(OffsetsTest, TransactionalCommitChecksTheMemberIfItIsNamed) {
  const std::string member = classic_member();
  const auto code = [&](std::string_view id, std::int32_t generation) {
    return commit_in_transaction(7, 5, id, generation).topics[0].partitions[0].error_code;
  };
  EXPECT_EQ(code(member, 1), ErrorCode::kNone);
  EXPECT_EQ(code(member, 2), ErrorCode::kIllegalGeneration);
  EXPECT_EQ(code("other", 1), ErrorCode::kUnknownMemberId);
  EXPECT_EQ(code("", -1), ErrorCode::kNone) << "old producers do not say";
}

TEST_F(OffsetsTest, TransactionalCommitFromAnEarlierEpochNeedsATopicThatExists) {
  h.add_topic("u", 1);
  const auto beat = [&](const BeatOptions& options) {
    return h.ask<protocol::ConsumerGroupHeartbeatResponse>(beat_request(h, "g", "a", options)).member_epoch;
  };
  const std::int32_t before = beat(joining({"t"}));
  ASSERT_GT(beat({.epoch = before, .topics = std::vector<std::string>{"t", "u"}}), before);
  const auto code = [&] {
    return commit_in_transaction(7, 5, "a", before).topics[0].partitions[0].error_code;
  };
  EXPECT_EQ(code(), ErrorCode::kNone) << "held since";
  const Uuid id = h.metadata->topics().at("t").id;
  h.edit_metadata([](FakeMetadata& m) { m.erase("t"); }, {"t"}, false, {{id, "t"}});
  EXPECT_EQ(code(), ErrorCode::kIllegalGeneration);
}

TEST_F(OffsetsTest, TransactionalCommitWhileLoadingIsToldInWordsThatItsVersionKnows) {
  h.shard.begin_load();
  protocol::TxnOffsetCommitRequest request;
  request.group_id = "g";
  request.topics = h.arena().array<protocol::TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic>(1);
  request.topics[0].partitions =
      h.arena()
          .array<
              protocol::TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic::TxnOffsetCommitRequestPartition>(
              1);
  const auto code = [&](int version) {
    return h.ask<protocol::TxnOffsetCommitResponse>(request, version).topics[0].partitions[0].error_code;
  };
  EXPECT_EQ(code(1), ErrorCode::kCoordinatorNotAvailable);
  EXPECT_EQ(code(2), ErrorCode::kCoordinatorLoadInProgress);
}

}  // namespace
}  // namespace milena::coordinator
