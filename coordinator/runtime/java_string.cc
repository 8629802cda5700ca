#include "coordinator/runtime/java_string.h"

#include <cstdlib>
#include <limits>

namespace milena::coordinator {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

// Reads one code point and moves `text` past it.
std::uint32_t next_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  const std::size_t length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first >= 0xf5 || text.size() < length) {
    text.remove_prefix(1);
    return kReplacement;
  }
  std::uint32_t point = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      text.remove_prefix(1);
      return kReplacement;
    }
    point = point << 6 | (byte(i) & 0x3fu);
  }
  text.remove_prefix(length);
  return point;
}

}  // namespace

void for_each_utf16_unit(std::string_view utf8, const std::function<void(std::uint16_t)>& visit) {
  while (!utf8.empty()) {
    const std::uint32_t point = next_code_point(utf8);
    if (point < 0x10000) {
      visit(static_cast<std::uint16_t>(point));
    } else {
      visit(static_cast<std::uint16_t>(0xd800 + ((point - 0x10000) >> 10)));
      visit(static_cast<std::uint16_t>(0xdc00 + ((point - 0x10000) & 0x3ff)));
    }
  }
}

std::int32_t java_string_hash(std::string_view utf8) {
  std::uint32_t hash = 0;
  for_each_utf16_unit(utf8, [&](std::uint16_t unit) { hash = 31 * hash + unit; });
  return static_cast<std::int32_t>(hash);
}

std::size_t java_string_length(std::string_view utf8) {
  std::size_t length = 0;
  for_each_utf16_unit(utf8, [&](std::uint16_t) { ++length; });
  return length;
}

std::int32_t partition_for_key(std::string_view key, std::int32_t partitions) {
  const std::int32_t hash = java_string_hash(key);
  // As Kafka: the one int without a positive counterpart counts as 0.
  return hash == std::numeric_limits<std::int32_t>::min() ? 0 : std::abs(hash) % partitions;
}

}  // namespace milena::coordinator
