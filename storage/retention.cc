#include "storage/retention.h"

#include "base/saturating.h"

namespace milena::storage {
namespace {

bool is_deletable(const RetentionSegment& segment, bool last, Offset high_watermark) {
  return high_watermark >= segment.end_offset && !(last && segment.size == 0);
}

}  // namespace

std::size_t segments_over_start_and_size(std::span<const RetentionSegment> segments, Offset log_start_offset,
                                         Offset high_watermark, const LogConfig& config) {
  const auto last = segments.size() - 1;
  std::size_t count = 0;
  while (count < last && segments[count].end_offset <= log_start_offset &&
         is_deletable(segments[count], false, high_watermark))
    ++count;
  if (!config.cleanup_delete || config.retention_bytes < 0) return count;

  std::uint64_t left = 0;
  for (const auto& segment : segments.subspan(count)) left += segment.size;
  const auto keep = static_cast<std::uint64_t>(config.retention_bytes);
  while (count <= last && left >= keep && left - keep >= segments[count].size &&
         is_deletable(segments[count], count == last, high_watermark))
    left -= segments[count++].size;
  return count;
}

bool is_over_age(const RetentionSegment& segment, bool last, std::int64_t timestamp, Offset high_watermark,
                 const LogConfig& config, std::int64_t now_ms) {
  return config.cleanup_delete && config.retention_ms >= 0 &&
         saturating_subtract(now_ms, timestamp) > config.retention_ms &&
         is_deletable(segment, last, high_watermark);
}

}  // namespace milena::storage
