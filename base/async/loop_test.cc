#include "base/async/loop.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

namespace milena {
namespace {

TEST(Loop, RunsJobsOfOneThreadInTheOrderTheyWerePosted) {
  const SystemClock clock;
  Loop loop(clock, "test");
  loop.start();
  std::vector<int> seen;
  std::promise<void> done;
  for (int i = 0; i < 1000; ++i) {
    loop.post([&seen, i] { seen.push_back(i); });
  }
  loop.post([&] { done.set_value(); });
  done.get_future().wait();
  loop.stop();
  loop.join();
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

struct CountingJob final : Loop::Job {
  explicit CountingJob(int& counter) : runs(counter) {}
  void run() override { ++runs; }
  int& runs;
};

TEST(Loop, AJobThatPostsItselfAgainAndAgainLeavesTimersAndTheStopTheirTurn) {
  const SystemClock clock;
  Loop loop(clock, "test");
  struct Restless final : Loop::Job {
    explicit Restless(Loop& on) : loop(on) {}
    void run() override {
      ++runs;
      if (!enough) loop.post(*this);
    }
    Loop& loop;
    std::size_t runs = 0;
    bool enough = false;
  } job(loop);
  std::promise<void> done;
  Timer timer([&] {
    job.enough = true;
    done.set_value();
  });
  loop.start();
  loop.post([&] {
    loop.post(job);
    loop.arm(timer, loop.now() + Instant{5});
  });
  done.get_future().wait();
  loop.stop();
  loop.join();
  EXPECT_GT(job.runs, 2u);
}

TEST(Loop, TakesJobsFromManyThreadsAndRunsEachOnce) {
  const SystemClock clock;
  Loop loop(clock, "test");
  loop.start();
  int runs = 0;
  std::vector<std::vector<std::unique_ptr<CountingJob>>> jobs(4);
  std::vector<std::thread> threads;
  for (auto& mine : jobs) {
    for (int i = 0; i < 2000; ++i) mine.push_back(std::make_unique<CountingJob>(runs));
    threads.emplace_back([&loop, &mine] {
      for (auto& job : mine) loop.post(*job);
    });
  }
  for (auto& thread : threads) thread.join();
  std::promise<void> done;
  loop.post([&] { done.set_value(); });
  done.get_future().wait();
  loop.stop();
  loop.join();
  EXPECT_EQ(runs, 8000);
}

TEST(Loop, KnowsItsThread) {
  const SystemClock clock;
  Loop loop(clock, "test");
  EXPECT_FALSE(loop.here());
  loop.start();
  std::promise<bool> inside;
  loop.post([&] { inside.set_value(loop.here()); });
  EXPECT_TRUE(inside.get_future().get());
  EXPECT_FALSE(loop.here());
  loop.stop();
  loop.join();
}

TEST(Loop, FiresTimersByItsClockNotByRealTime) {
  ManualClock clock;
  Loop loop(clock, "test");
  int fired = 0;
  Timer timer([&] { ++fired; });
  loop.arm(timer, loop.now() + Instant{600'000});
  loop.post([&] {
    loop.run_due_timers();
    EXPECT_EQ(fired, 0);
    clock.advance(Instant{600'000});
    loop.run_due_timers();
    EXPECT_EQ(fired, 1);
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Loop, WakesUpByItselfForTheEarliestOfSeveralTimers) {
  const SystemClock clock;
  Loop loop(clock, "test");
  std::vector<int> fired;
  Timer slow([&] { fired.push_back(2); });
  Timer quick([&] {
    fired.push_back(1);
    loop.stop();
  });
  Timer cancelled([&] { fired.push_back(3); });
  loop.arm(slow, loop.now() + Instant{60'000});
  loop.arm(quick, loop.now() + Instant{2});
  loop.arm(cancelled, loop.now() + Instant{1});
  cancelled.cancel();
  loop.run();
  EXPECT_EQ(fired, std::vector{1});
}

TEST(Loop, JobsPostedAfterTheEndRunWhenItIsDestroyed) {
  const SystemClock clock;
  int runs = 0;
  CountingJob job(runs);
  {
    Loop loop(clock, "test");
    loop.start();
    loop.stop();
    loop.join();
    loop.post(job);
    EXPECT_EQ(runs, 0);
  }
  EXPECT_EQ(runs, 1);
}

TEST(Loop, SoDoJobsThatThosePost) {
  const SystemClock clock;
  int ran = 0;
  {
    Loop loop(clock, "test");
    loop.post([&] { loop.post([&] { ++ran; }); });
  }
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace milena
