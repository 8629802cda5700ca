#include "bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace milena::bench {

std::size_t Histogram::bucket_of(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  const int shift = std::max(0, static_cast<int>(std::bit_width(bits)) - kLinearBits);
  return static_cast<std::size_t>(shift) * kHalf + static_cast<std::size_t>(bits >> shift);
}

std::int64_t Histogram::end_of(std::size_t bucket) {
  if (bucket < 2 * kHalf) return static_cast<std::int64_t>(bucket);
  const std::size_t shift = bucket / kHalf - 1;
  const std::size_t step = bucket - shift * kHalf;
  return static_cast<std::int64_t>(((step + 1) << shift) - 1);
}

void Histogram::add(std::int64_t value, std::uint64_t times) {
  value = std::clamp<std::int64_t>(value, 0, kLargest);
  (*counts_)[bucket_of(value)] += times;
  count_ += times;
  max_ = std::max(max_, value);
}

void Histogram::clear() {
  counts_->fill(0);
  count_ = 0;
  max_ = 0;
}

std::int64_t Histogram::at(double share) const {
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += (*counts_)[bucket];
    if (seen >= wanted) return std::min(end_of(bucket), max_);
  }
  return max_;
}

}  // namespace milena::bench
