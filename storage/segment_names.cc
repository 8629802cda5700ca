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
  const auto [end, error] = std::from_chars(name.data(), name.data() + dot, value);
  if (error != std::errc{} || end != name.data() + dot || value < 0) return std::nullopt;
  return SegmentFileName{value, name.substr(dot)};
}

}  // namespace milena::storage
