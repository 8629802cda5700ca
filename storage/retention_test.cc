#include "storage/retention.h"

#include <gtest/gtest.h>

namespace milena::storage {
namespace {

const std::vector<RetentionSegment> kSegments = {{0, 10, 100}, {10, 20, 100}, {20, 30, 100}, {30, 35, 50}};

std::size_t by_start_and_size(Offset log_start, Offset high_watermark, std::int64_t retention_bytes,
                              bool cleanup_delete = true) {
  LogConfig config;
  config.retention_bytes = retention_bytes;
  config.cleanup_delete = cleanup_delete;
  return segments_over_start_and_size(kSegments, log_start, high_watermark, config);
}

TEST(Retention, SegmentsWhollyBelowTheLogStartGo) {
  EXPECT_EQ(by_start_and_size(9, 35, -1), 0u);
  EXPECT_EQ(by_start_and_size(10, 35, -1), 1u);
  EXPECT_EQ(by_start_and_size(29, 35, -1), 2u);
  EXPECT_EQ(by_start_and_size(35, 35, -1), 3u);  // never the active one
  EXPECT_EQ(by_start_and_size(29, 35, -1, false), 2u);
}

TEST(Retention, L7_AtLeastRetentionBytesStay) {
  EXPECT_EQ(by_start_and_size(0, 35, 350), 0u);
  EXPECT_EQ(by_start_and_size(0, 35, 251), 0u);
  EXPECT_EQ(by_start_and_size(0, 35, 250), 1u);
  EXPECT_EQ(by_start_and_size(0, 35, 50), 3u);
  EXPECT_EQ(by_start_and_size(0, 35, 0), 4u);
  EXPECT_EQ(by_start_and_size(0, 35, 0, false), 0u);
}

TEST(Retention, NothingAboveTheHighWatermarkGoes) {
  EXPECT_EQ(by_start_and_size(0, 19, 0), 1u);
  EXPECT_EQ(by_start_and_size(0, 20, 0), 2u);
}

TEST(Retention, L7_AgeCountsFromTheLargestTimestamp) {
  LogConfig config;
  config.retention_ms = 1000;
  const auto over = [&](std::int64_t timestamp, bool last = false, std::uint64_t size = 100) {
    return is_over_age({0, 10, size}, last, timestamp, 10, config, 5000);
  };
  EXPECT_TRUE(over(3999));
  EXPECT_FALSE(over(4000));
  EXPECT_FALSE(over(9000));  // from the future
  EXPECT_TRUE(over(3999, true));
  EXPECT_FALSE(over(3999, true, 0));  // the empty active segment
  EXPECT_FALSE(is_over_age({0, 10, 100}, false, 0, 9, config, 5000));
  config.retention_ms = -1;
  EXPECT_FALSE(over(0));
}

}  // namespace
}  // namespace milena::storage
