// TimerQueue: the deadlines of one machine, as data. Nobody waits here: the shell asks next_deadline() and
// calls back when it has come.
//
// Owned by a machine, guarded by its shard's lock. A Timer is a member of the object it watches over (a
// group, a member); destroying the object cancels it. Pushing a deadline back, which every heartbeat does, is
// one store: the queue keeps the old entry and looks again when that comes up. So next_deadline() may be
// early, never late. Timers of equal deadline fire in the order in which they entered the queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/clock.h"

namespace milena::coordinator {

// What: a small copyable value that tells the machine which timer fired.
template <class What>
class TimerQueue {
 public:
  class Timer {
   public:
    Timer(TimerQueue& queue, What what) : queue_(queue), what_(what) {}
    ~Timer() { cancel(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // Fires once, at the first pop() at or after `deadline`. Replaces an earlier deadline.
    void arm(Instant deadline) {
      deadline_ = deadline;
      if (slot_ == kUnarmed) {
        queue_.push(*this);
      } else if (deadline < queue_.heap_[slot_].at) {
        queue_.heap_[slot_].at = deadline;
        queue_.rise(slot_);
      }
    }
    void cancel() {
      if (slot_ != kUnarmed) queue_.remove(slot_);
    }
    bool armed() const { return slot_ != kUnarmed; }
    Instant deadline() const { return deadline_; }

   private:
    friend class TimerQueue;
    static constexpr std::uint32_t kUnarmed = 0xffffffff;

    TimerQueue& queue_;
    What what_;
    Instant deadline_{0};
    std::uint32_t slot_ = kUnarmed;  // index in the heap
  };

  TimerQueue() = default;
  ~TimerQueue() { MILENA_ASSERT(heap_.empty(), "a timer outlives its queue"); }
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  std::size_t armed() const { return heap_.size(); }

  std::optional<Instant> next_deadline() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().at;
  }

  // Disarms and names one timer whose deadline has come. Call again until it says nothing.
  std::optional<What> pop(Instant now) {
    while (!heap_.empty() && heap_.front().at <= now) {
      Timer& timer = *heap_.front().timer;
      if (timer.deadline_ <= now) {
        remove(0);
        return timer.what_;
      }
      heap_.front().at = timer.deadline_;
      heap_.front().order = next_order_++;
      sink(0);
    }
    return std::nullopt;
  }

 private:
  struct Entry {
    Instant at;  // never later than timer->deadline_
    std::uint64_t order;
    Timer* timer;

    bool before(const Entry& other) const { return at != other.at ? at < other.at : order < other.order; }
  };

  void push(Timer& timer) {
    heap_.push_back({timer.deadline_, next_order_++, &timer});
    timer.slot_ = static_cast<std::uint32_t>(heap_.size() - 1);
    rise(timer.slot_);
  }

  void remove(std::size_t slot) {
    heap_[slot].timer->slot_ = Timer::kUnarmed;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (slot == heap_.size()) return;
    place(slot, last);
    rise(slot);
    sink(last.timer->slot_);
  }

  void rise(std::size_t slot) {
    const Entry entry = heap_[slot];
    for (; slot > 0; slot = (slot - 1) / 2) {
      const Entry& parent = heap_[(slot - 1) / 2];
      if (!entry.before(parent)) break;
      place(slot, parent);
    }
    place(slot, entry);
  }

  void sink(std::size_t slot) {
    const Entry entry = heap_[slot];
    for (;;) {
      std::size_t child = 2 * slot + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
      if (!heap_[child].before(entry)) break;
      place(slot, heap_[child]);
      slot = child;
    }
    place(slot, entry);
  }

  void place(std::size_t slot, Entry entry) {
    heap_[slot] = entry;
    entry.timer->slot_ = static_cast<std::uint32_t>(slot);
  }

  std::vector<Entry> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace milena::coordinator
