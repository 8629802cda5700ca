// What groups cost: bytes per group that is kept, and nothing for a heartbeat.
#include <gtest/gtest.h>

#include <malloc.h>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "coordinator/group/testing/requests.h"

namespace {

std::size_t live_bytes = 0;
std::size_t allocations = 0;

void* counted(std::size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) std::abort();
  live_bytes += malloc_usable_size(block);
  ++allocations;
  return block;
}

void discounted(void* block) {
  if (block == nullptr) return;
  live_bytes -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* block) noexcept { discounted(block); }
void operator delete[](void* block) noexcept { discounted(block); }
void operator delete(void* block, std::size_t) noexcept { discounted(block); }
void operator delete[](void* block, std::size_t) noexcept { discounted(block); }

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)

// Feeds a machine the log of another, and returns what the groups in it take.
std::size_t bytes_per_group(GroupHarness& writer, std::size_t groups) {
  SeededRng rng(1);
  const auto config = std::make_shared<GroupConfig>();
  const std::size_t before = live_bytes;
  GroupMachine machine(config, writer.metadata, rng);
  protocol::Offset end = 0;
  const Status read = read_log_batches(
      writer.log.bytes(),
      {.record = [&](const LogRecord& record) { machine.replay(record); }, .marker = [](auto, bool) {}}, end);
  EXPECT_TRUE(read.has_value());
  EXPECT_EQ(machine.groups().size(), groups);
  const std::size_t bytes = (live_bytes - before) / groups;
  testing::Test::RecordProperty("bytes_per_group", static_cast<int>(bytes));
  return bytes;
}

TEST(GroupMemory, TenThousandGroupsWithSixOffsetsEachAreSmall) {
  GroupHarness h;
  h.check_invariants = false;  // there are too many groups for it
  h.add_topic("orders", 6);
  for (int i = 0; i < 10'000; ++i) {
    std::vector<OffsetToCommit> offsets(6, {"orders", 0, 1'000'000 + i});
    for (std::int32_t p = 0; p < 6; ++p) offsets[static_cast<std::size_t>(p)].partition = p;
    h.send(commit_request(h, "group-number-" + std::to_string(i), offsets), 9);
  }
  EXPECT_LT(bytes_per_group(h, 10'000), 1'800u);
}

TEST(GroupMemory, LiveGroupsOfTwoMembersAreSmall) {
  GroupHarness h;
  h.check_invariants = false;  // there are too many groups for it
  h.add_topic("orders", 6);
  for (int i = 0; i < 1'000; ++i) {
    const std::string group = "group-number-" + std::to_string(i);
    for (const std::string& member : {"a", "b"}) {
      h.send(beat_request(h, group, "c7f0c3f1-0b4e-4b1c-9a0e-000000000000" + member, joining({"orders"})));
    }
  }
  EXPECT_LT(bytes_per_group(h, 1'000), 4'500u);
}

// The machine alone: replies wait in vectors that keep their room.
template <class Request>
std::size_t allocations_of(GroupHarness& h, const Request& request, std::int16_t version) {
  const RequestContext context{version, h.client_id, "/127.0.0.1", nullptr};
  std::vector<Completion<GroupReply>> replies;
  replies.reserve(4);
  h.shard.handle(h.now, 1'000, context, request);
  h.shard.take_replies(replies);
  replies.clear();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) {
    h.now.instant += Instant{1};
    h.shard.handle(h.now, 1'000, context, request);
    h.shard.take_replies(replies);
    EXPECT_EQ(replies.size(), 1u);
    replies.clear();
  }
  return allocations - before;
}

TEST(GroupMemory, HeartbeatAllocatesNothing) {
  GroupHarness classic;
  const auto joined = classic.ask<protocol::JoinGroupResponse>(join_request(classic, "g", {}), 3);
  classic.ask<protocol::SyncGroupResponse>(sync_request(classic, "g", joined.member_id, 1));
  EXPECT_EQ(allocations_of(classic, heartbeat_request(classic, "g", joined.member_id, 1), 4), 0u);

  GroupHarness consumer;
  consumer.add_topic("orders", 6);
  consumer.ask<protocol::ConsumerGroupHeartbeatResponse>(
      beat_request(consumer, "g", "a", joining({"orders"})));
  EXPECT_EQ(allocations_of(consumer, beat_request(consumer, "g", "a", {.epoch = 2}), 1), 0u);
}

}  // namespace
}  // namespace milena::coordinator
