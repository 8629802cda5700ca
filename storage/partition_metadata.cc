#include "storage/partition_metadata.h"

#include <fmt/format.h>

#include <map>

#include "storage/checkpoint_text.h"

namespace milena::storage {
namespace {

std::string_view without_blanks(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

// The lines "key: value", in any order.
std::map<std::string_view, std::string_view> read_lines(std::string_view text) {
  std::map<std::string_view, std::string_view> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    out[without_blanks(line.substr(0, colon))] = without_blanks(line.substr(colon + 1));
  }
  return out;
}

}  // namespace

std::string encode_partition_metadata(const Uuid& topic_id) {
  return fmt::format("version: 0\ntopic_id: {}", topic_id.to_string());
}

PartitionMetadata decode_partition_metadata(std::string_view text) {
  using State = PartitionMetadata::State;
  auto lines = read_lines(text);
  const auto version = parse_integer<std::int32_t>(lines["version"]);
  if (version && *version > 0) return {.state = State::kNewerVersion};
  const auto id = Uuid::parse(lines["topic_id"]);
  if (version != 0 || !id || id->is_zero()) return {.state = State::kDamaged};
  return {.state = State::kValid, .topic_id = *id};
}

}  // namespace milena::storage
