#include "broker/net/request_memory.h"

#include <gtest/gtest.h>

#include <deque>

namespace milena::broker {
namespace {

constexpr std::size_t kKiB = 1024;

struct FakeConnection final : RequestMemory::Account {
  FakeConnection(RequestMemory& memory_) : memory(memory_) {}
  ~FakeConnection() { memory.forget(*this); }
  void retry_read() override {
    ++retries;
    if (memory.exhausted() || memory.allowance(*this) == 0) memory.wait(*this);
  }
  void reclaim() override {
    reclaimed = true;
    memory.forget(*this);
  }
  RequestMemory& memory;
  int retries = 0;
  bool reclaimed = false;
};

struct RequestMemoryTest : testing::Test {
  FakeConnection& connection() { return all.emplace_back(memory); }
  RequestMemory memory{
      {.held_max = 1000 * kKiB, .held_per_connection_max = 100 * kKiB, .partial_max = 400 * kKiB}};
  std::deque<FakeConnection> all;
};

TEST_F(RequestMemoryTest, ReadingIsFreeBelowTheLimits) {
  auto& a = connection();
  memory.set_partial(a, 300 * kKiB, 1000 * kKiB, Instant{0});
  EXPECT_GT(memory.allowance(a), 1000 * kKiB);
  EXPECT_EQ(memory.partial(), 300 * kKiB);
  memory.set_partial(a, 0, 0, Instant{0});
  EXPECT_EQ(memory.partial(), 0u);
}

TEST_F(RequestMemoryTest, AtTheLimitLargeFramesWaitAndSmallOnesDoNot) {
  auto &a = connection(), &b = connection(), &fresh = connection(), &small = connection();
  memory.set_partial(a, 200 * kKiB, 1000 * kKiB, Instant{0});
  memory.set_partial(b, 200 * kKiB, 1000 * kKiB, Instant{0});
  memory.set_partial(small, 50, 4096, Instant{0});
  EXPECT_EQ(memory.allowance(a), 0u);
  EXPECT_EQ(memory.allowance(b), 0u);
  EXPECT_EQ(memory.allowance(small), RequestMemory::kSmallFrame);
  EXPECT_EQ(memory.allowance(fresh), RequestMemory::kSmallFrame);
}

TEST_F(RequestMemoryTest, OneLargeFrameAlwaysGoesOn) {
  auto &a = connection(), &b = connection();
  memory.set_partial(a, 300 * kKiB, 5000 * kKiB, Instant{0});
  memory.set_partial(b, 300 * kKiB, 5000 * kKiB, Instant{0});
  EXPECT_EQ(memory.allowance(b), 0u);
  memory.wait(b);
  EXPECT_GT(memory.allowance(a), 0u) << "nobody else moves";
  memory.set_partial(a, 4000 * kKiB, 5000 * kKiB, Instant{10});
  memory.tick(Instant{20});
  EXPECT_EQ(b.retries, 1);
  EXPECT_TRUE(memory.anyone_waits());
  memory.set_partial(a, 0, 0, Instant{30});  // complete
  memory.tick(Instant{30});
  EXPECT_EQ(b.retries, 2);
  EXPECT_FALSE(memory.anyone_waits());
  EXPECT_GT(memory.allowance(b), 0u);
}

TEST_F(RequestMemoryTest, AFrameThatStandsStillIsGivenUpWhenOthersWait) {
  auto &stalled = connection(), &lively = connection(), &waiting = connection();
  memory.set_partial(stalled, 200 * kKiB, 1000 * kKiB, Instant{0});
  memory.set_partial(lively, 200 * kKiB, 1000 * kKiB, Instant{0});
  memory.set_partial(waiting, 1 * kKiB, 1000 * kKiB, Instant{0});
  memory.set_partial(lively, 201 * kKiB, 1000 * kKiB, Instant{450});
  memory.tick(Instant{700});
  EXPECT_FALSE(stalled.reclaimed) << "nobody waits";
  memory.wait(waiting);
  memory.tick(Instant{499});
  EXPECT_FALSE(stalled.reclaimed);
  memory.tick(Instant{500});
  EXPECT_TRUE(stalled.reclaimed);
  EXPECT_FALSE(lively.reclaimed);
  memory.tick(Instant{510});
  EXPECT_FALSE(memory.anyone_waits());
}

TEST_F(RequestMemoryTest, WaitingForMemoryIsNotStandingStill) {
  auto &holder = connection(), &patient = connection();
  memory.set_partial(holder, 399 * kKiB, 1000 * kKiB, Instant{0});
  memory.set_partial(patient, 2 * kKiB, 1000 * kKiB, Instant{0});
  memory.wait(patient);
  for (int ms = 100; ms < 5000; ms += 100) {
    memory.set_partial(holder, 400 * kKiB + static_cast<std::size_t>(ms), 1000 * kKiB, Instant{ms});
    memory.tick(Instant{ms});
  }
  EXPECT_FALSE(patient.reclaimed);
  EXPECT_FALSE(holder.reclaimed);
}

TEST_F(RequestMemoryTest, NobodyReadsWhileRequestsHoldEverything) {
  auto &a = connection(), &b = connection();
  for (int i = 0; i < 10; ++i) memory.hold(a, 100 * kKiB);
  EXPECT_TRUE(memory.exhausted());
  EXPECT_FALSE(memory.may_handle(a));
  EXPECT_TRUE(memory.may_handle(b));
  memory.wait(b);
  memory.tick(Instant{1});
  EXPECT_TRUE(memory.anyone_waits());
  memory.release(a, 100 * kKiB);
  memory.tick(Instant{2});
  EXPECT_FALSE(memory.anyone_waits());
}

TEST_F(RequestMemoryTest, AConnectionThatEndsLeavesNothingBehind) {
  auto &a = connection(), &b = connection();
  memory.hold(a, 10);
  memory.set_partial(a, 400 * kKiB, 1000 * kKiB, Instant{0});
  memory.set_partial(b, 10 * kKiB, 1000 * kKiB, Instant{0});
  memory.wait(b);
  memory.forget(a);
  memory.forget(b);
  EXPECT_EQ(memory.held(), 0u);
  EXPECT_EQ(memory.partial(), 0u);
  EXPECT_FALSE(memory.anyone_waits());
}

}  // namespace
}  // namespace milena::broker
