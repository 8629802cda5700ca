#include "base/async/task_group.h"

#include <gtest/gtest.h>

#include <vector>

namespace milena {
namespace {

Task<> tick(Loop& loop, std::vector<int>& log, int id, Instant period) {
  while (co_await sleep_for(loop, period)) log.push_back(id);
  log.push_back(-id);
}

Task<> stop_group(Loop& loop, TaskGroup& group) {
  co_await group.stop();
  loop.stop();
}

struct TaskGroupTest : testing::Test {
  // Runs what is ready without waiting.
  void settle() {
    loop.io().restart();
    loop.io().poll();
  }
  void stop() {
    asio::co_spawn(loop.io(), stop_group(loop, group), [](const std::exception_ptr&) {});
    settle();
  }

  ManualClock clock;
  Loop loop{clock, "test"};
  TaskGroup group{loop};
  std::vector<int> log;
};

TEST_F(TaskGroupTest, SleepersWakeByTheLoopsClock) {
  group.spawn("fast", tick(loop, log, 1, Instant{10}));
  group.spawn("slow", tick(loop, log, 2, Instant{25}));
  settle();
  for (int i = 0; i < 5; ++i) {
    clock.advance(Instant{10});
    loop.run_due_timers();
    settle();
  }
  EXPECT_EQ(log, (std::vector{1, 1, 2, 1, 1, 1}));
  stop();
}

TEST_F(TaskGroupTest, StopCancelsEveryTaskAndWaitsForTheLast) {
  group.spawn("one", tick(loop, log, 1, Instant{10}));
  group.spawn("two", tick(loop, log, 2, Instant{10}));
  settle();
  EXPECT_FALSE(group.empty());
  stop();
  EXPECT_TRUE(group.empty());
  EXPECT_EQ(log, (std::vector{-1, -2}));
}

TEST_F(TaskGroupTest, StopOfAnEmptyGroupReturnsAtOnce) {
  stop();
  EXPECT_TRUE(group.empty());
}

Task<> stop_own_group(Loop& loop, TaskGroup& group, std::vector<int>& log) {
  co_await asio::post(loop.io(), asio::use_awaitable);
  asio::co_spawn(loop.io(), stop_group(loop, group), [](const std::exception_ptr&) {});
  log.push_back(1);
  co_await sleep_for(loop, Instant{10});
  log.push_back(2);
}

TEST_F(TaskGroupTest, ATaskCancelledBetweenTwoWaitsEndsAtTheSecond) {
  group.spawn("ends itself", stop_own_group(loop, group, log));
  settle();
  EXPECT_TRUE(group.empty());
  EXPECT_EQ(log, std::vector{1});
}

Task<> fail_at_once() {
  throw std::runtime_error("no");
  co_return;
}

TEST_F(TaskGroupTest, ATaskThatThrowsEndsTheProcess) {
  EXPECT_DEATH(
      {
        group.spawn("the failing one", fail_at_once());
        settle();
      },
      "the failing one");
}

}  // namespace
}  // namespace milena
