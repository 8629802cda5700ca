#include "storage/index_checksums.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/checkpoint_text.h"

namespace milena::storage {

std::string encode_index_checksums(std::span<const SegmentChecksums> segments) {
  std::vector<std::string> lines;
  lines.reserve(segments.size());
  for (const auto& [base_offset, size, sums] : segments) {
    lines.push_back(
        fmt::format("{} {} {} {} {}", base_offset.value, size, sums.offsets, sums.times, sums.aborted));
  }
  return encode_checkpoint(lines);
}

std::optional<std::vector<SegmentChecksums>> decode_index_checksums(std::string_view text) {
  const auto lines = decode_checkpoint(text);
  if (!lines) return std::nullopt;
  std::vector<SegmentChecksums> segments;
  segments.reserve(lines->size());
  for (std::string_view line : *lines) {
    const auto base_offset = parse_integer<std::int64_t>(take_field(line));
    const auto size = parse_integer<std::uint32_t>(take_field(line));
    const auto offsets = parse_integer<std::uint32_t>(take_field(line));
    const auto times = parse_integer<std::uint32_t>(take_field(line));
    const auto aborted = parse_integer<std::uint32_t>(take_field(line));
    if (!base_offset || !size || !offsets || !times || !aborted || !line.empty()) return std::nullopt;
    segments.push_back({*base_offset, *size, {.offsets = *offsets, .times = *times, .aborted = *aborted}});
  }
  std::ranges::sort(segments, {}, &SegmentChecksums::base_offset);
  return segments;
}

}  // namespace milena::storage
