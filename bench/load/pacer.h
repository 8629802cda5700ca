// Pacer: the timetable of an open loop. Event n is due n intervals after the start, whatever happened to the
// ones before, so a slow broker makes a queue and the queue shows in the latencies (no coordinated omission).
//
// Pure arithmetic; the caller brings the time, in nanoseconds.
#pragma once

#include <cstdint>

#include "bench/load/time.h"

namespace milena::bench {

class Pacer {
 public:
  // per_second > 0.
  Pacer(double per_second, std::int64_t start_ns) : per_second_(per_second), start_ns_(start_ns) {}

  // When the next event that was not taken is due.
  std::int64_t next_due_ns() const { return due_ns(taken_); }
  bool is_due(std::int64_t now_ns) const { return next_due_ns() <= now_ns; }

  // Takes the next event, due or not; when it was or will be due.
  std::int64_t take() { return due_ns(taken_++); }

 private:
  // From the number of the event, not from the one before: rounding must not add up.
  std::int64_t due_ns(std::int64_t event) const {
    return start_ns_ + static_cast<std::int64_t>(static_cast<double>(event) * kSecond / per_second_);
  }

  double per_second_;
  std::int64_t start_ns_;
  std::int64_t taken_ = 0;
};

}  // namespace milena::bench
