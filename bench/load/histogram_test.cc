#include "bench/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/rng.h"

namespace milena::bench {
namespace {

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::int64_t value = 1; value <= 1000; ++value) histogram.add(value);
  EXPECT_EQ(histogram.at(0.5), 500);
  EXPECT_EQ(histogram.at(0.99), 990);
  EXPECT_EQ(histogram.at(0.999), 999);
  EXPECT_EQ(histogram.at(1.0), 1000);
}

TEST(Histogram, EveryPercentileIsWithinAThousandthOfTheSortedValues) {
  SeededRng rng(7);
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 100'000; ++i) {
    // Spread over all magnitudes up to a minute.
    const auto value = static_cast<std::int64_t>(rng.next() >> (28 + rng.below(30)));
    values.push_back(value);
    histogram.add(value);
  }
  std::ranges::sort(values);
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    const auto exact = values[static_cast<std::size_t>(std::lround(share * 100'000)) - 1];
    EXPECT_GE(histogram.at(share), exact) << share;
    EXPECT_LE(static_cast<double>(histogram.at(share)), static_cast<double>(exact) * 1.001 + 1) << share;
  }
}

TEST(Histogram, TheMaximumIsExactAndNoPercentileExceedsIt) {
  Histogram histogram;
  histogram.add(1'234'567'891);
  EXPECT_EQ(histogram.max(), 1'234'567'891);
  EXPECT_EQ(histogram.at(0.5), 1'234'567'891);
}

TEST(Histogram, ValuesBeyondItsRangeCountAtItsEnds) {
  Histogram histogram;
  histogram.add(-5);
  histogram.add(Histogram::kLargest + 5);
  EXPECT_EQ(histogram.at(0.5), 0);
  EXPECT_EQ(histogram.at(1.0), Histogram::kLargest);
}

TEST(Histogram, OneValueManyTimesWeighsAsMuch) {
  Histogram histogram;
  histogram.add(10, 99);
  histogram.add(5000);
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.at(0.99), 10);
  EXPECT_GE(histogram.at(0.991), 5000);
}

TEST(Histogram, ClearForgetsEverything) {
  Histogram histogram;
  histogram.add(77);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.at(0.5), 0);
}

}  // namespace
}  // namespace milena::bench
