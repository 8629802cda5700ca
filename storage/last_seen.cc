#include "storage/last_seen.h"

#include <fmt/format.h>

#include <charconv>

namespace milena::storage {
namespace {

constexpr std::string_view kHead = "version: 0\nlast_seen_ms: ";

}  // namespace

std::string encode_last_seen(std::int64_t wall_ms) { return fmt::format("{}{}\n", kHead, wall_ms); }

std::optional<std::int64_t> decode_last_seen(std::string_view text) {
  if (!text.starts_with(kHead) || !text.ends_with('\n')) return std::nullopt;
  text.remove_prefix(kHead.size());
  text.remove_suffix(1);
  std::int64_t wall_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wall_ms);
  if (error != std::errc{} || end != text.data() + text.size() || wall_ms < 0) return std::nullopt;
  return wall_ms;
}

}  // namespace milena::storage
