// Durations: a histogram of how long something took.
//
// Adding is a few comparisons and two relaxed additions. `Cell` says who adds: Published<std::uint64_t> for
// one thread at a time, SharedCounter for any. Readers may be on any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "broker/metrics/counter.h"

namespace milena::broker {

// The upper bounds of the buckets; beyond the last there is one more.
inline constexpr std::array kDurationBounds = [] {
  using std::chrono::microseconds;
  return std::array{microseconds(100),        microseconds(250),        microseconds(500),
                    microseconds(1'000),      microseconds(2'500),      microseconds(5'000),
                    microseconds(10'000),     microseconds(25'000),     microseconds(50'000),
                    microseconds(100'000),    microseconds(250'000),    microseconds(500'000),
                    microseconds(1'000'000),  microseconds(2'500'000),  microseconds(5'000'000),
                    microseconds(10'000'000), microseconds(30'000'000), microseconds(60'000'000)};
}();

// What was read of one or several Durations.
struct DurationCounts {
  std::array<std::uint64_t, kDurationBounds.size() + 1> counts{};  // by bucket, not cumulative
  std::uint64_t sum_ns = 0;

  std::uint64_t count() const;
  double sum_seconds() const { return static_cast<double>(sum_ns) / 1e9; }
  // The time, in seconds, that the share `q` of all did not exceed: by linear interpolation within a bucket,
  // so no finer than the buckets are. 0 while there is nothing; the last bound for what lies beyond it.
  double quantile(double q) const;
};

template <class Cell>
class Durations {
 public:
  void add(std::chrono::nanoseconds took) {
    std::size_t bucket = 0;
    while (bucket < kDurationBounds.size() && took > kDurationBounds[bucket]) ++bucket;
    counts_[bucket].add(1);
    if (took.count() > 0) sum_ns_.add(static_cast<std::uint64_t>(took.count()));
  }
  void read_into(DurationCounts& total) const {
    for (std::size_t i = 0; i < counts_.size(); ++i) total.counts[i] += counts_[i].get();
    total.sum_ns += sum_ns_.get();
  }

 private:
  std::array<Cell, kDurationBounds.size() + 1> counts_;
  Cell sum_ns_;
};

using LoopDurations = Durations<Published<std::uint64_t>>;
using SharedDurations = Durations<SharedCounter>;

}  // namespace milena::broker
