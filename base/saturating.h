// Sums and products that stop at the limits of their type, and deadlines made with them.
//
// Operators write "for ever" as the largest number there is, and a client may send any. A deadline must then
// be far away, not in the past.
#pragma once

#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace milena {

constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

constexpr std::int64_t saturating_subtract(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b > 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

constexpr std::int64_t saturating_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a < 0) != (b < 0) ? std::numeric_limits<std::int64_t>::min()
                            : std::numeric_limits<std::int64_t>::max();
}

// The moment that is `delay` later than `now`; Instant::max() when that is beyond the end of time.
constexpr Instant after(Instant now, Instant delay) {
  return Instant{saturating_add(now.count(), delay.count())};
}

}  // namespace milena
