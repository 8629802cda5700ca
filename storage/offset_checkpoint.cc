#include "storage/offset_checkpoint.h"

#include <fmt/format.h>

#include "base/crc32c.h"
#include "storage/checkpoint_text.h"

namespace milena::storage {
namespace {

constexpr std::string_view kChecksumTopic = ".milena-crc32c";

std::uint32_t add_line(std::uint32_t crc, std::string_view line) {
  return crc32c(as_bytes("\n"), crc32c(as_bytes(line), crc));
}

}  // namespace

std::string encode_offset_checkpoint(const OffsetCheckpoint& offsets) {
  std::vector<std::string> lines;
  lines.reserve(offsets.size() + 1);
  std::uint32_t crc = 0;
  for (const auto& [name, offset] : offsets) {
    const auto dash = name.rfind('-');
    lines.push_back(fmt::format("{} {} {}", name.substr(0, dash), name.substr(dash + 1), offset.value));
    crc = add_line(crc, lines.back());
  }
  lines.push_back(fmt::format("{} 0 {}", kChecksumTopic, crc));
  return encode_checkpoint(lines);
}

std::optional<OffsetCheckpoint> decode_offset_checkpoint(std::string_view text) {
  const auto lines = decode_checkpoint(text);
  if (!lines) return std::nullopt;
  OffsetCheckpoint offsets;
  std::optional<std::int64_t> expected;
  std::uint32_t crc = 0;
  for (const std::string_view line : *lines) {
    std::string_view rest = line;
    const auto topic = take_field(rest);
    const auto partition = parse_integer<std::int32_t>(take_field(rest));
    const auto offset = parse_integer<std::int64_t>(rest);
    if (topic.empty() || !partition || *partition < 0 || !offset || *offset < 0) return std::nullopt;
    if (topic == kChecksumTopic) {
      expected = offset;
      continue;
    }
    crc = add_line(crc, line);
    offsets[fmt::format("{}-{}", topic, *partition)] = *offset;
  }
  if (expected && *expected != crc) return std::nullopt;
  return offsets;
}

}  // namespace milena::storage
