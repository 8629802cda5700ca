#include "base/async/timer_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <tuple>
#include <vector>

#include "base/rng.h"

namespace milena {
namespace {

TEST(TimerQueue, FiresDueTimersByDeadlineThenByTheOrderTheyWereArmedIn) {
  TimerQueue queue;
  std::vector<int> fired;
  Timer late([&] { fired.push_back(3); }), first([&] { fired.push_back(1); }),
      second([&] { fired.push_back(2); });
  queue.arm(late, Instant{20});
  queue.arm(first, Instant{10});
  queue.arm(second, Instant{10});
  EXPECT_EQ(queue.earliest(), Instant{10});

  queue.run_due(Instant{9});
  EXPECT_TRUE(fired.empty());
  queue.run_due(Instant{10});
  EXPECT_EQ(fired, (std::vector{1, 2}));
  queue.run_due(Instant{50});
  EXPECT_EQ(fired, (std::vector{1, 2, 3}));
  EXPECT_EQ(queue.earliest(), std::nullopt);
}

TEST(TimerQueue, ArmingAgainMovesTheDeadline) {
  TimerQueue queue;
  int fired = 0;
  Timer timer([&] { ++fired; });
  queue.arm(timer, Instant{10});
  queue.arm(timer, Instant{30});
  queue.run_due(Instant{29});
  EXPECT_EQ(fired, 0);
  EXPECT_TRUE(timer.armed());
  EXPECT_EQ(timer.deadline(), Instant{30});
  queue.run_due(Instant{30});
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer.armed());
}

TEST(TimerQueue, ATimerMayArmItselfCancelOthersAndDieWhileFiring) {
  TimerQueue queue;
  int rounds = 0;
  Timer again([&] {
    if (++rounds < 3) queue.arm(again, Instant{10});
  });
  auto victim = std::make_unique<Timer>([] { FAIL() << "was destroyed before its deadline"; });
  std::unique_ptr<Timer> suicide = std::make_unique<Timer>([&] {
    victim.reset();
    suicide.reset();
  });
  queue.arm(again, Instant{10});
  queue.arm(*victim, Instant{20});
  queue.arm(*suicide, Instant{15});
  queue.run_due(Instant{30});
  EXPECT_EQ(rounds, 3);
  EXPECT_EQ(suicide, nullptr);
}

TEST(TimerQueue, ATimerMayOutliveItsQueue) {
  Timer timer([] {});
  {
    TimerQueue queue;
    queue.arm(timer, Instant{1});
  }
  EXPECT_FALSE(timer.armed());
}

TEST(TimerQueue, AgreesWithASortedListOverRandomUse) {
  SeededRng rng(7);
  TimerQueue queue;
  std::vector<std::tuple<Instant, int, int>> model;  // deadline, step it was armed in, timer
  std::vector<int> fired;
  std::deque<Timer> timers;
  for (int i = 0; i < 64; ++i) timers.emplace_back([&fired, i] { fired.push_back(i); });
  Instant now{0};
  auto forget = [&](int i) { std::erase_if(model, [i](auto& entry) { return std::get<2>(entry) == i; }); };
  for (int step = 0; step < 20'000; ++step) {
    const int i = static_cast<int>(rng.below(timers.size()));
    switch (rng.below(4)) {
      case 0:
        timers[static_cast<std::size_t>(i)].cancel();
        forget(i);
        break;
      case 1: {
        now += Instant{static_cast<std::int64_t>(rng.below(20))};
        std::ranges::sort(model);
        std::vector<int> expected;
        while (!model.empty() && std::get<0>(model.front()) <= now) {
          expected.push_back(std::get<2>(model.front()));
          model.erase(model.begin());
        }
        fired.clear();
        queue.run_due(now);
        ASSERT_EQ(fired, expected);
        break;
      }
      default: {
        const Instant deadline = now + Instant{static_cast<std::int64_t>(rng.below(100))};
        queue.arm(timers[static_cast<std::size_t>(i)], deadline);
        forget(i);
        model.emplace_back(deadline, step, i);
        break;
      }
    }
  }
}

}  // namespace
}  // namespace milena
