#include "storage/checkpoint_text.h"

#include <fmt/format.h>

namespace milena::storage {
namespace {

// The text up to the next '\n', which is consumed; none when no line is left or the last one has no end.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string encode_checkpoint(const std::vector<std::string>& lines) {
  std::string text = fmt::format("0\n{}\n", lines.size());
  for (const auto& line : lines) {
    text += line;
    text += '\n';
  }
  return text;
}

std::optional<std::vector<std::string_view>> decode_checkpoint(std::string_view text) {
  std::vector<std::string_view> lines;
  if (text.empty()) return lines;
  if (take_line(text) != "0") return std::nullopt;
  const auto count_line = take_line(text);
  if (!count_line) return std::nullopt;
  const auto count = parse_integer<std::size_t>(*count_line);
  if (!count || *count > text.size()) return std::nullopt;
  lines.reserve(*count);
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!line) return std::nullopt;
    lines.push_back(*line);
  }
  if (lines.size() != *count) return std::nullopt;
  return lines;
}

bool is_newer_checkpoint(std::string_view text) {
  const auto first = take_line(text);
  const auto version = first ? parse_integer<std::int64_t>(*first) : std::nullopt;
  return version && *version > 0;
}

std::string_view take_field(std::string_view& line) {
  const auto end = line.find(' ');
  const auto field = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return field;
}

}  // namespace milena::storage
