#include "base/async/thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <latch>
#include <thread>

namespace milena {
namespace {

TEST(ThreadPool, RunsEverythingItTookBeforeStopReturns) {
  std::atomic<int> runs = 0;
  ThreadPool pool("test", 3, 1000);
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.try_run([&] { ++runs; }));
  pool.stop();
  EXPECT_EQ(runs, 500);
  EXPECT_FALSE(pool.try_run([&] { ++runs; }));
  EXPECT_EQ(runs, 500);
}

TEST(ThreadPool, RunsAsManyJobsAtOnceAsItHasThreads) {
  ThreadPool pool("test", 2, 10);
  std::latch both(2);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(pool.try_run([&] { both.arrive_and_wait(); }));
  pool.stop();  // would hang if one waited for the other
}

TEST(ThreadPool, GrowsAndShrinksWhileItRuns) {
  ThreadPool pool("test", 1, 100);
  std::promise<void> ran;
  ASSERT_TRUE(pool.try_run([&] { ran.set_value(); }));
  ran.get_future().wait();
  pool.resize(3);
  std::latch three(3);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.try_run([&] { three.arrive_and_wait(); }));
  three.wait();  // would hang with fewer threads
  pool.resize(1);
  std::atomic<int> at_once = 0, most = 0, runs = 0;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(pool.try_run([&] {
      most = std::max(most.load(), ++at_once);
      std::this_thread::yield();
      --at_once;
      ++runs;
    }));
  }
  pool.stop();
  EXPECT_EQ(runs, 50);
  EXPECT_EQ(most, 1);
}

TEST(ThreadPool, RefusesWhatDoesNotFitIntoItsQueue) {
  ThreadPool pool("test", 1, 2);
  std::promise<void> started, release;
  std::atomic<int> runs = 0;
  ASSERT_TRUE(pool.try_run([&] {
    started.set_value();
    release.get_future().wait();
    ++runs;
  }));
  started.get_future().wait();
  EXPECT_TRUE(pool.try_run([&] { ++runs; }));
  EXPECT_TRUE(pool.try_run([&] { ++runs; }));
  EXPECT_FALSE(pool.try_run([&] { ++runs; }));
  release.set_value();
  pool.stop();
  EXPECT_EQ(runs, 3);
}

}  // namespace
}  // namespace milena
