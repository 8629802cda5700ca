#include "coordinator/runtime/timer_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/rng.h"

namespace milena::coordinator {
namespace {

using Queue = TimerQueue<int>;

std::vector<int> pop_all(Queue& queue, std::int64_t now) {
  std::vector<int> fired;
  while (const auto what = queue.pop(Instant{now})) fired.push_back(*what);
  return fired;
}

TEST(TimerQueue, FiresInOrderOfDeadlineThenOfArming) {
  Queue queue;
  Queue::Timer late(queue, 1), first(queue, 2), second(queue, 3);
  late.arm(Instant{20});
  first.arm(Instant{10});
  second.arm(Instant{10});
  EXPECT_EQ(queue.next_deadline(), Instant{10});
  EXPECT_EQ(pop_all(queue, 9), std::vector<int>{});
  EXPECT_EQ(pop_all(queue, 10), (std::vector<int>{2, 3}));
  EXPECT_EQ(pop_all(queue, 100), (std::vector<int>{1}));
  EXPECT_EQ(queue.next_deadline(), std::nullopt);
}

TEST(TimerQueue, PushedBackTimerFiresAtItsLastDeadlineOnly) {
  Queue queue;
  Queue::Timer timer(queue, 1);
  timer.arm(Instant{10});
  timer.arm(Instant{30});
  EXPECT_LE(queue.next_deadline(), Instant{30});
  EXPECT_EQ(pop_all(queue, 29), std::vector<int>{});
  EXPECT_EQ(queue.next_deadline(), Instant{30});
  EXPECT_EQ(pop_all(queue, 30), std::vector<int>{1});
  EXPECT_FALSE(timer.armed());
}

TEST(TimerQueue, PulledForwardTimerFiresEarlier) {
  Queue queue;
  Queue::Timer a(queue, 1), b(queue, 2);
  a.arm(Instant{10});
  b.arm(Instant{30});
  b.arm(Instant{5});
  EXPECT_EQ(queue.next_deadline(), Instant{5});
  EXPECT_EQ(pop_all(queue, 10), (std::vector<int>{2, 1}));
}

TEST(TimerQueue, DestroyedOrCancelledTimerNeverFires) {
  Queue queue;
  auto gone = std::make_unique<Queue::Timer>(queue, 1);
  Queue::Timer cancelled(queue, 2);
  gone->arm(Instant{1});
  cancelled.arm(Instant{1});
  gone.reset();
  cancelled.cancel();
  EXPECT_EQ(queue.armed(), 0u);
  EXPECT_EQ(pop_all(queue, 100), std::vector<int>{});
}

// Against the obvious model: a deadline per timer, all looked at every time.
TEST(TimerQueue, AgreesWithAPlainListUnderRandomUse) {
  SeededRng rng(7);
  Queue queue;
  std::vector<std::unique_ptr<Queue::Timer>> timers;
  timers.reserve(64);
  std::vector<std::int64_t> deadlines(64, -1);
  for (int i = 0; i < 64; ++i) timers.push_back(std::make_unique<Queue::Timer>(queue, i));
  std::int64_t now = 0;
  for (int step = 0; step < 20'000; ++step) {
    const auto i = static_cast<std::size_t>(rng.below(64));
    if (rng.one_in(4)) {
      timers[i]->cancel();
      deadlines[i] = -1;
    } else {
      deadlines[i] = now + static_cast<std::int64_t>(rng.below(50));
      timers[i]->arm(Instant{deadlines[i]});
    }
    if (!rng.one_in(3)) continue;
    now += static_cast<std::int64_t>(rng.below(20));
    std::vector<int> expected;
    for (std::size_t t = 0; t < deadlines.size(); ++t) {
      if (deadlines[t] >= 0 && deadlines[t] <= now) expected.push_back(static_cast<int>(t));
    }
    for (const int t : expected) deadlines[static_cast<std::size_t>(t)] = -1;
    auto fired = pop_all(queue, now);
    std::ranges::sort(fired);
    ASSERT_EQ(fired, expected) << "step " << step;
    for (const std::int64_t deadline : deadlines) {
      if (deadline >= 0) {
        ASSERT_LE(queue.next_deadline(), Instant{deadline});
      }
    }
  }
}

}  // namespace
}  // namespace milena::coordinator
