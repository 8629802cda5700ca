// TimerQueue: deadlines in order, without a clock and without a thread. Loop drives one; the simulator can
// too.
//
// Owned by one loop and touched only from it. Arming and cancelling cost O(log n) and allocate only when more
// timers are armed than ever before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace milena {

class TimerQueue;

// Something that happens at a deadline. Belongs to whoever acts on it; cancels itself when destroyed.
class Timer {
 public:
  explicit Timer(std::move_only_function<void()> fire) : fire_(std::move(fire)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  void cancel();
  bool armed() const { return queue_ != nullptr; }
  // Of an armed timer.
  Instant deadline() const;

 private:
  friend class TimerQueue;
  std::move_only_function<void()> fire_;
  TimerQueue* queue_ = nullptr;
  std::size_t place_ = 0;
};

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  // A timer that is armed already moves to the new deadline.
  void arm(Timer& timer, Instant deadline);
  std::optional<Instant> earliest() const;
  // Fires what is due, earliest first; equal deadlines in the order they were armed. A timer that a firing
  // one arms for `now` or earlier fires in the same call.
  void run_due(Instant now);

 private:
  friend class Timer;
  struct Entry {
    Instant deadline;
    std::uint64_t order;
    Timer* timer;
    bool before(const Entry& other) const {
      return deadline != other.deadline ? deadline < other.deadline : order < other.order;
    }
  };
  void remove(Timer& timer);
  void put(std::size_t place, Entry entry);
  void sift_up(std::size_t place, Entry entry);
  void sift_down(std::size_t place, Entry entry);

  std::vector<Entry> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace milena
