#include "base/saturating.h"

#include <gtest/gtest.h>

namespace milena {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

TEST(Saturating, IsOrdinaryArithmeticWithinTheLimits) {
  EXPECT_EQ(saturating_add(2, -5), -3);
  EXPECT_EQ(saturating_subtract(2, 5), -3);
  EXPECT_EQ(saturating_multiply(-4, 5), -20);
  EXPECT_EQ(saturating_add(kMax - 1, 1), kMax);
  EXPECT_EQ(saturating_subtract(-1, kMax), kMin);
}

TEST(Saturating, StopsAtTheLimits) {
  EXPECT_EQ(saturating_add(kMax, 1), kMax);
  EXPECT_EQ(saturating_add(1, kMax), kMax);
  EXPECT_EQ(saturating_add(kMin, -1), kMin);
  EXPECT_EQ(saturating_subtract(0, kMin), kMax);
  EXPECT_EQ(saturating_subtract(-2, kMax), kMin);
  EXPECT_EQ(saturating_multiply(kMax, 2), kMax);
  EXPECT_EQ(saturating_multiply(kMin, -1), kMax);
  EXPECT_EQ(saturating_multiply(kMin, 2), kMin);
  EXPECT_EQ(saturating_multiply(-2, kMax), kMin);
}

TEST(Saturating, ADeadlineIsNeverInThePast) {
  EXPECT_EQ(after(Instant{5}, Instant{10}), Instant{15});
  EXPECT_EQ(after(Instant{5}, Instant::max()), Instant::max());
  EXPECT_EQ(after(Instant::max(), Instant::max()), Instant::max());
}

}  // namespace
}  // namespace milena
