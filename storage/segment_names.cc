#include "storage/segment_names.h"

#include <fmt/format.h>

#include <charconv>

#include "storage/stray_checkpoint.h"

namespace milena::storage {

std::string segment_file_name(protocol::Offset base_offset, std::string_view suffix) {
  return fmt::format("{:020}{}", base_offset.value, suffix);
}

std::optional<SegmentFileName> parse_segment_file_name(std::string_view name) {
  const auto dot = name.find('.');
  constexpr std::size_t kDigits = 20;
  if (dot != kDigits) return std::nullopt;
  std::int64_t value = 0;
  const std::string_view digits = name.substr(0, dot);
  const char* const behind = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), behind, value);
  if (error != std::errc{} || end != behind || value < 0) return std::nullopt;
  return SegmentFileName{value, name.substr(dot)};
}

bool is_partition_file_name(std::string_view name) {
  if (parse_segment_file_name(name)) return true;
  if (name.ends_with(".tmp")) name.remove_suffix(4);
  return name == kPartitionMetadataName || name == kEpochCheckpointName || name == kIndexChecksumsName ||
         name == kStrayCheckpointName;
}

}  // namespace milena::storage
