// Numbers that the hot path changes and a scrape reads: no lock, no order, one cache line at most.
//
// Owned by what they tell about. Readers may be on any thread, and see some recent value; sums over several
// numbers need not belong to one moment.
#pragma once

#include <atomic>
#include <cstdint>

namespace milena::broker {

// Changed by one thread at a time: on one loop, or under one mutex. A change is a plain load and store.
template <class T>
class Published {
 public:
  Published() = default;
  explicit Published(T value) : value_(value) {}

  T get() const { return value_.load(std::memory_order_relaxed); }
  void set(T value) { value_.store(value, std::memory_order_relaxed); }
  void add(T more) { set(get() + more); }
  void subtract(T less) { set(get() - less); }

 private:
  std::atomic<T> value_{};
};

// Changed by any thread.
class SharedCounter {
 public:
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }
  void add(std::uint64_t more = 1) { value_.fetch_add(more, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace milena::broker
