// Logs that no coordinator wrote: numbers at their ends. The group goes on by the rules, and no sum
// overflows.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "coordinator/group/records.h"
#include "coordinator/group/testing/requests.h"
#include "coordinator/runtime/record_codec.h"
#include "protocol/offset_commit_record.gen.h"
#include "protocol/record_batch_builder.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)

constexpr auto kLastInt = std::numeric_limits<std::int32_t>::max();
constexpr auto kFirstInt = std::numeric_limits<std::int32_t>::min();
constexpr auto kFirstMs = std::numeric_limits<std::int64_t>::min();

struct DamagedLogTest : testing::Test {
  DamagedLogTest() { h.check_invariants = false; }  // such a log breaks them before anything is asked

  GroupHarness h;
  GroupOutcome records;

  // The coordinator starts from a log that also has these records.
  void load() {
    protocol::RecordBatchBuilder builder;
    auto batch = build_log_batch(builder, records.records(), h.now.wall_ms, std::nullopt);
    ASSERT_TRUE(h.log.append(batch, std::nullopt).has_value());
    h.load();
    records.clear();
  }
  protocol::ConsumerGroupHeartbeatResponse beat(const BeatOptions& options) {
    return h.ask<protocol::ConsumerGroupHeartbeatResponse>(beat_request(h, "g", "a", options));
  }
};

TEST_F(DamagedLogTest, GenerationsBeginAgainAfterTheLastOneAndAreNeverNegative) {
  for (const std::int32_t logged : {kLastInt, kFirstInt, -1}) {
    auto value = empty_generation_record(1);
    value.generation = logged;
    append_classic_group(records, "g", value);
    load();
    const auto joined = h.ask<protocol::JoinGroupResponse>(join_request(h, "g", {}), 3);
    EXPECT_EQ(joined.generation_id, 1) << "after " << logged;
  }
}

TEST_F(DamagedLogTest, GroupEpochsBeginAgainAfterTheLastOneAndAreNeverNegative) {
  h.add_topic("t", 1);
  for (const std::int32_t logged : {kLastInt, kFirstInt}) {
    append_group_epoch(records, "g", logged, 0);
    load();
    EXPECT_EQ(beat(joining({"t"})).member_epoch, 1) << "after " << logged;
    EXPECT_EQ(beat({.epoch = -1}).error_code, ErrorCode::kNone);
  }
}

TEST_F(DamagedLogTest, LeavingAGroupOfTheLastEpochBeginsAgain) {
  h.add_topic("t", 1);
  append_group_epoch(records, "g", kLastInt - 1, 0);
  load();
  EXPECT_EQ(beat(joining({"t"})).member_epoch, kLastInt);
  EXPECT_EQ(beat({.epoch = -1}).error_code, ErrorCode::kNone);
  EXPECT_EQ(h.consumer("g").epoch, 1);
  EXPECT_EQ(beat(joining({"t"})).member_epoch, 2);
}

TEST_F(DamagedLogTest, AssignmentOfLongAgoIsOldEnoughForANewOne) {
  h.add_topic("t", 1);
  h.configure([](GroupConfig& c) { c.consumer_assignment_interval_ms = 1'000; });
  append_group_epoch(records, "g", 5, 0);
  append_target_epoch(records, "g", 5, kFirstMs);
  load();
  EXPECT_EQ(beat(joining({"t"})).member_epoch, 6);
  EXPECT_EQ(h.consumer("g").assignment_epoch, 6);
}

TEST_F(DamagedLogTest, OffsetCommittedLongAgoExpires) {
  CommittedOffset offset;
  offset.offset = 1;
  offset.commit_timestamp_ms = kFirstMs;
  append_offset(records, "g", "t", 0, offset);
  load();
  EXPECT_NE(h.group("g"), nullptr);
  h.advance(h.config->offsets_retention_check_interval_ms);
  EXPECT_EQ(h.group("g"), nullptr);
}

TEST_F(DamagedLogTest, MemberIdThatTheLogHoldsIsNotHandedOutAgain) {
  const auto join = [](GroupHarness& harness) {
    return std::string(harness.ask<protocol::JoinGroupResponse>(join_request(harness, "g", {}), 3).member_id);
  };
  GroupHarness other;  // draws the same numbers
  const std::string first = join(other);
  other.ask<protocol::SyncGroupResponse>(sync_request(other, "g", first, 1));
  h.log = other.log;
  h.load();
  const ReplyToken token = h.send(join_request(h, "g", {}), 3);
  EXPECT_TRUE(h.waits(token)) << "for the member that is there";
  EXPECT_EQ(h.classic("g").members().size(), 2u);
}

}  // namespace
}  // namespace milena::coordinator
