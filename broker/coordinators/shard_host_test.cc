#include "broker/coordinators/shard_host.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "broker/partition/testing/test_partition.h"
#include "coordinator/group/group_machine.h"

namespace milena::broker {
namespace {

using coordinator::FetchOffsets;
using coordinator::GroupMachine;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using GroupOffsets = protocol::OffsetFetchResponse::OffsetFetchResponseGroup;
using Host = ShardHost<GroupMachine>;

class ShardHostTest : public ::testing::Test {
 protected:
  explicit ShardHostTest(Durability durability = Durability::kPageCache) : partitions(1, durability) {}

  std::shared_ptr<Host> make_host(ShardHostOptions options = {}) {
    hosts.push_back(std::make_shared<Host>(
        [this](const Partition&) {
          return std::make_unique<GroupMachine>(std::make_shared<coordinator::GroupConfig>(),
                                                std::make_shared<coordinator::NoMetadata>(), rng);
        },
        Host::ErrandRunner{}, loop, clock, log, options));
    return hosts.back();
  }
  // Jobs that would run on a thread that may block wait here.
  Runner runner() {
    return [this](std::move_only_function<void()> job) { jobs.push_back(std::move(job)); };
  }
  void run_jobs() {
    for (auto& job : std::exchange(jobs, {})) job();
  }
  // Runs what has been posted to the loop. Once in a test.
  void run_loop() {
    loop.post([this] { loop.stop(); });
    loop.run();
  }

  void commit(Host& host, std::int64_t offset) {
    OffsetCommitRequest request{.group_id = "readers"};
    request.topics = arena.array<OffsetCommitRequest::OffsetCommitRequestTopic>(1);
    request.topics[0].name = "letters";
    request.topics[0].partitions =
        arena.array<OffsetCommitRequest::OffsetCommitRequestTopic::OffsetCommitRequestPartition>(1);
    request.topics[0].partitions[0].committed_offset = offset;
    commit_errors.emplace_back();
    host.ask(coordinator::RequestContext{.api_version = 9}, request,
             [this, at = commit_errors.size() - 1](Host::Completion&& completion) {
               commit_errors[at] =
                   std::get<OffsetCommitResponse>(completion.reply).topics[0].partitions[0].error_code;
             });
  }
  // Of "readers" in partition 0 of "letters"; -1 when there is none.
  std::pair<ErrorCode, std::int64_t> committed(Host& host) {
    FetchOffsets request;
    request.group.group_id = "readers";
    std::pair<ErrorCode, std::int64_t> found{ErrorCode::kUnknownServerError, -1};
    host.ask(coordinator::RequestContext{.api_version = 9}, request, [&](Host::Completion&& completion) {
      const auto& group = std::get<GroupOffsets>(completion.reply);
      found = {group.error_code,
               group.topics.empty() ? -1 : group.topics[0].partitions[0].committed_offset.value};
    });
    return found;
  }

  std::vector<std::shared_ptr<Host>> hosts;  // outlive the loop, as hosts must
  ManualClock clock;
  Logger log{LogLevel::kError};
  Loop loop{clock, "test"};
  SeededRng rng{1};
  TestPartitions partitions;
  Arena arena;
  std::vector<std::move_only_function<void()>> jobs;
  std::vector<std::optional<ErrorCode>> commit_errors;
};

class FsyncShardHostTest : public ShardHostTest {
 protected:
  FsyncShardHostTest() : ShardHostTest(Durability::kFsync) {}
};

TEST_F(ShardHostTest, AShardThatLeadsNothingIsNotTheCoordinator) {
  const auto host = make_host();
  EXPECT_EQ(committed(*host).first, ErrorCode::kNotCoordinator);
}

TEST_F(ShardHostTest, AnEmptyLogIsServedAtOnce) {
  const auto host = make_host();
  host->lead(partitions.shared(0), runner());
  EXPECT_TRUE(jobs.empty());
  commit(*host, 7);
  EXPECT_EQ(commit_errors, std::vector(1, std::optional(ErrorCode::kNone)));
  EXPECT_EQ(committed(*host), std::pair(ErrorCode::kNone, std::int64_t{7}));
}

TEST_F(ShardHostTest, WhatWasCommittedIsThereWhenTheLogWasReadAgain) {
  {
    const auto before = make_host();
    before->lead(partitions.shared(0), runner());
    for (int offset = 1; offset <= 5; ++offset) commit(*before, offset);
    before->unload(ErrorCode::kNotCoordinator);
  }
  const auto host = make_host();
  host->lead(partitions.shared(0), runner());
  EXPECT_EQ(committed(*host).first, ErrorCode::kCoordinatorLoadInProgress);
  run_jobs();
  EXPECT_EQ(committed(*host), std::pair(ErrorCode::kNone, std::int64_t{5}));
}

TEST_F(ShardHostTest, ALogLargerThanTheBufferIsReadInStretches) {
  {
    const auto before = make_host();
    before->lead(partitions.shared(0), runner());
    for (int offset = 1; offset <= 50; ++offset) commit(*before, offset);
    before->unload(ErrorCode::kNotCoordinator);
  }
  const auto host = make_host({.load_buffer_bytes = 200});
  host->lead(partitions.shared(0), runner());
  run_jobs();
  EXPECT_EQ(committed(*host), std::pair(ErrorCode::kNone, std::int64_t{50}));
}

TEST_F(ShardHostTest, ALoadThatIsOvertakenByAnotherTermChangesNothing) {
  {
    const auto before = make_host();
    before->lead(partitions.shared(0), runner());
    commit(*before, 7);
    before->unload(ErrorCode::kNotCoordinator);
  }
  const auto host = make_host();
  host->lead(partitions.shared(0), runner());
  host->unload(ErrorCode::kNotCoordinator);
  run_jobs();
  EXPECT_EQ(committed(*host).first, ErrorCode::kNotCoordinator);
}

TEST_F(ShardHostTest, ALogThatCannotBeReadIsNotServed) {
  ASSERT_TRUE(partitions.append(0, 3));
  const auto host = make_host();
  host->lead(partitions.shared(0), runner());
  const auto taken = partitions.at(0).close();
  run_jobs();
  EXPECT_EQ(committed(*host).first, ErrorCode::kNotCoordinator);
}

TEST_F(ShardHostTest, ChangesDuringALoadAreHeardOfAfterIt) {
  ASSERT_TRUE(partitions.append(0, 3));
  const auto host = make_host();
  host->lead(partitions.shared(0), runner());
  int heard = 0;
  host->apply(std::make_shared<const Host::Change>(
      [&](coordinator::Now, GroupMachine&, coordinator::GroupOutcome&) { ++heard; }));
  EXPECT_EQ(heard, 0);
  run_jobs();
  EXPECT_EQ(heard, 1);
}

TEST_F(FsyncShardHostTest, AReplyWaitsUntilItsRecordsAreOnStableStorage) {
  const auto host = make_host();
  host->lead(partitions.shared(0), runner());
  commit(*host, 7);
  commit(*host, 8);
  EXPECT_EQ(commit_errors[0], std::nullopt);
  partitions.run_flushes();
  run_loop();
  EXPECT_EQ(commit_errors, std::vector(2, std::optional(ErrorCode::kNone)));
}

TEST_F(FsyncShardHostTest, AReplyThatIsNotCommittedInTimeSaysSo) {
  const auto host = make_host();
  host->lead(partitions.shared(0), runner());
  commit(*host, 7);
  run_loop();  // sets the timer
  clock.advance(Instant{5000});
  loop.run_due_timers();
  EXPECT_EQ(commit_errors[0], ErrorCode::kCoordinatorNotAvailable);
}

TEST_F(FsyncShardHostTest, WhoWaitsIsToldWhenTheShardGoes) {
  const auto host = make_host();
  host->lead(partitions.shared(0), runner());
  commit(*host, 7);
  host->unload(ErrorCode::kNotCoordinator);
  EXPECT_EQ(commit_errors[0], ErrorCode::kNotCoordinator);
}

TEST_F(ShardHostTest, SilentMembersAreExpelledByTheLoop) {
  const auto host = make_host();
  host->lead(partitions.shared(0), runner());
  std::string member;
  const auto join = [&] {
    JoinGroupRequest request{
        .group_id = "readers", .session_timeout_ms = 10'000, .rebalance_timeout_ms = 10'000};
    request.member_id = member;
    request.protocol_type = "consumer";
    request.protocols = arena.array<JoinGroupRequest::JoinGroupRequestProtocol>(1);
    request.protocols[0].name = "range";
    ErrorCode error = ErrorCode::kUnknownServerError;
    host->ask(coordinator::RequestContext{.api_version = 4}, request, [&](Host::Completion&& completion) {
      const auto& response = std::get<JoinGroupResponse>(completion.reply);
      error = response.error_code;
      member = response.member_id;
    });
    return error;
  };
  ASSERT_EQ(join(), ErrorCode::kMemberIdRequired);
  ASSERT_EQ(join(), ErrorCode::kNone);
  run_loop();
  const auto heartbeat = [&] {
    ErrorCode error = ErrorCode::kUnknownServerError;
    host->ask(coordinator::RequestContext{.api_version = 4},
              protocol::HeartbeatRequest{.group_id = "readers", .generation_id = 1, .member_id = member},
              [&](Host::Completion&& completion) {
                error = std::get<protocol::HeartbeatResponse>(completion.reply).error_code;
              });
    return error;
  };
  EXPECT_EQ(heartbeat(), ErrorCode::kNone);
  clock.advance(Instant{10'001});
  loop.run_due_timers();
  EXPECT_EQ(heartbeat(), ErrorCode::kUnknownMemberId);
}

}  // namespace
}  // namespace milena::broker
