// Histogram: counts of latencies with three significant digits, whatever their size.
//
// Log-linear: values below 2048 have a bucket each; above, every power of two is cut into 1024 buckets, so a
// bucket is at most 0.1 % wide. add() costs a few instructions and never allocates.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace milena::bench {

class Histogram {
 public:
  // Below 2^42 (73 minutes in nanoseconds); larger values count as that, negative ones as 0.
  static constexpr std::int64_t kLargest = (std::int64_t{1} << 42) - 1;

  Histogram() : counts_(std::make_unique<std::array<std::uint64_t, kBuckets>>()) {}

  void add(std::int64_t value, std::uint64_t times = 1);
  void clear();

  std::uint64_t count() const { return count_; }
  std::int64_t max() const { return max_; }
  // The smallest value that at least `share` (0 to 1) of all values do not exceed, rounded up to the end of
  // its bucket; never more than max(). 0 when nothing was added.
  std::int64_t at(double share) const;

 private:
  static constexpr int kLinearBits = 11;  // 2048 values one by one
  static constexpr std::size_t kHalf = std::size_t{1} << (kLinearBits - 1);
  static constexpr std::size_t kBuckets = kHalf * (42 - kLinearBits + 2);

  static std::size_t bucket_of(std::int64_t value);
  static std::int64_t end_of(std::size_t bucket);

  std::unique_ptr<std::array<std::uint64_t, kBuckets>> counts_;
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace milena::bench
