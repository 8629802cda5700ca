#include "broker/metrics/durations.h"

#include <gtest/gtest.h>

namespace milena::broker {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

template <class Cell>
DurationCounts counts_of(const Durations<Cell>& durations) {
  DurationCounts counts;
  durations.read_into(counts);
  return counts;
}

TEST(Durations, ABoundBelongsToItsBucket) {
  LoopDurations durations;
  durations.add(microseconds(100));
  durations.add(microseconds(101));
  durations.add(seconds(61));
  const auto counts = counts_of(durations);
  EXPECT_EQ(counts.counts.front(), 1u);
  EXPECT_EQ(counts.counts[1], 1u);
  EXPECT_EQ(counts.counts.back(), 1u);
  EXPECT_EQ(counts.count(), 3u);
  EXPECT_DOUBLE_EQ(counts.sum_seconds(), 61.000201);
}

TEST(Durations, ATimeThatIsNoneAddsNothingToTheSum) {
  SharedDurations durations;
  durations.add(std::chrono::nanoseconds{-5});
  EXPECT_EQ(counts_of(durations).count(), 1u);
  EXPECT_EQ(counts_of(durations).sum_ns, 0u);
}

TEST(Durations, SumsOverSeveral) {
  LoopDurations one, two;
  one.add(microseconds(200));
  two.add(microseconds(300));
  DurationCounts sum;
  one.read_into(sum);
  two.read_into(sum);
  EXPECT_EQ(sum.count(), 2u);
  EXPECT_EQ(sum.sum_ns, 500'000u);
}

TEST(Durations, QuantilesLieInTheBucketOfTheirSample) {
  EXPECT_EQ(DurationCounts{}.quantile(0.5), 0);
  LoopDurations durations;
  for (int i = 0; i < 90; ++i) durations.add(microseconds(150));
  for (int i = 0; i < 10; ++i) durations.add(microseconds(3000));
  const auto counts = counts_of(durations);
  EXPECT_GT(counts.quantile(0.5), 0.0001);
  EXPECT_LE(counts.quantile(0.5), 0.00025);
  EXPECT_DOUBLE_EQ(counts.quantile(0.9), 0.00025);
  EXPECT_GT(counts.quantile(0.99), 0.0025);
  EXPECT_LE(counts.quantile(0.99), 0.005);
  durations.add(seconds(100));
  EXPECT_DOUBLE_EQ(counts_of(durations).quantile(1), 60);
}

}  // namespace
}  // namespace milena::broker
