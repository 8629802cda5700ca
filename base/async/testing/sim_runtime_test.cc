#include "base/async/testing/sim_runtime.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace milena {
namespace {

TEST(SimRuntime, TimePassesOnlyWhenNothingIsLeftToDo) {
  SimRuntime runtime(1);
  const auto loop = runtime.make_loop(runtime.clock(), "loop");
  std::vector<std::int64_t> fired;
  Timer late([&] { fired.push_back(loop->now().count()); });
  Timer soon([&] { fired.push_back(loop->now().count()); });
  loop->arm(late, Instant{3'600'000});
  loop->arm(soon, Instant{5});
  runtime.run_for(Instant{10});
  EXPECT_EQ(fired, (std::vector<std::int64_t>{5}));
  EXPECT_EQ(runtime.clock().now(), Instant{10});
  EXPECT_TRUE(runtime.run_until([&] { return fired.size() == 2; }, Instant{4'000'000}));
  EXPECT_EQ(fired.back(), 3'600'000);
  loop->stop();
  loop->join();
}

TEST(SimRuntime, ALoopKnowsWhenItIsItsTurn) {
  SimRuntime runtime(1);
  const auto one = runtime.make_loop(runtime.clock(), "one"), two = runtime.make_loop(runtime.clock(), "two");
  bool ran = false;
  one->post([&] {
    EXPECT_TRUE(one->here());
    EXPECT_FALSE(two->here());
    ran = true;
  });
  EXPECT_FALSE(one->here());
  runtime.run_for(Instant{1});
  EXPECT_TRUE(ran);
}

// What two loops and a pool do, one letter each.
std::string order_of(std::uint64_t seed) {
  SimRuntime runtime(seed);
  const auto one = runtime.make_loop(runtime.clock(), "one"), two = runtime.make_loop(runtime.clock(), "two");
  const auto pool = runtime.make_pool("pool", 2, 100);
  std::string out;
  for (int i = 0; i < 20; ++i) {
    one->post([&] { out += 'a'; });
    two->post([&] { out += 'b'; });
    EXPECT_TRUE(pool->try_run([&] { out += 'c'; }));
    runtime.step();
  }
  runtime.run_for(Instant{1000});
  return out;
}

TEST(SimRuntime, ASeedDecidesTheOrderOfEverything) {
  EXPECT_EQ(order_of(7), order_of(7));
  EXPECT_EQ(order_of(7).size(), 60u);
  EXPECT_NE(order_of(7), order_of(8));
}

TEST(SimRuntime, WaitRunsWhatOpensTheLatch) {
  SimRuntime runtime(1);
  const auto loop = runtime.make_loop(runtime.clock(), "loop");
  const auto pool = runtime.make_pool("pool", 1, 1);
  Latch latch;
  ASSERT_TRUE(pool->try_run([&] { loop->post([&] { latch.open(); }); }));
  runtime.wait(latch);
  EXPECT_TRUE(latch.is_open());
}

TEST(SimRuntime, APoolThatStopsRunsWhatItTook) {
  SimRuntime runtime(1);
  const auto pool = runtime.make_pool("pool", 1, 2);
  int runs = 0;
  EXPECT_TRUE(pool->try_run([&] { ++runs; }));
  EXPECT_TRUE(pool->try_run([&] { ++runs; }));
  EXPECT_TRUE(pool->try_run([&] { ++runs; }));
  EXPECT_FALSE(pool->try_run([&] { ++runs; })) << "one runs, two wait";
  pool->stop();
  EXPECT_EQ(runs, 3);
  EXPECT_FALSE(pool->try_run([&] { ++runs; }));
}

TEST(SimRuntime, ParallelWorkIsDoneOnce) {
  SimRuntime runtime(1);
  std::vector<int> times(10);
  runtime.in_parallel(4, times.size(), [&](std::size_t at) { ++times[at]; });
  EXPECT_EQ(times, std::vector<int>(10, 1));
}

}  // namespace
}  // namespace milena
