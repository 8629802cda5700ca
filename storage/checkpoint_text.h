// The shape of Kafka's checkpoint files: a version line, a count line, then that many lines of fields
// separated by one space (docs/formats/checkpoints.md).
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace milena::storage {

// "0\n<count>\n" and the lines, each ended by '\n'.
std::string encode_checkpoint(const std::vector<std::string>& lines);

// The lines after the count; none when the version is not 0, the count is wrong or the last line is cut off.
// An empty file has no lines. The views point into `text`.
std::optional<std::vector<std::string_view>> decode_checkpoint(std::string_view text);

// Whether the text says that it has a higher version than this one.
bool is_newer_checkpoint(std::string_view text);

// The next field of a line; the line is left with the rest.
std::string_view take_field(std::string_view& line);

// A whole field as an integer.
template <std::integral T>
std::optional<T> parse_integer(std::string_view field) {
  T value{};
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{} || end != field.data() + field.size()) return std::nullopt;
  return value;
}

}  // namespace milena::storage
