#include "storage/segment_names.h"

#include <fmt/format.h>

#include <charconv>

namespace milena::storage {

std::string segment_file_name(protocol::Offset base_offset, std::string_view suffix) {
  return fmt::format("{:020}{}", base_offset.value, suffix);
}

std::optional<SegmentFileName> parse_segment_file_name(std::string_view name) {
  const auto dot = name.find('.');
  if (dot == 0 || dot == std::string_view::npos) return std::nullopt;
  std::int64_t value = 0;
  const std::string_view digits = name.substr(0, dot);
  const char* const behind = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), behind, value);
  if (error != std::errc{} || end != behind || value < 0) return std::nullopt;
  return SegmentFileName{value, name.substr(dot)};
}

}  // namespace milena::storage
