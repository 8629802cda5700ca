// last_seen: the small file of a log directory that says what time it was when the directory was last used
// (docs/formats/last_seen.md). A start that finds it more than a day behind doubts the wall clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace milena::storage {

inline constexpr std::string_view kLastSeenName = ".milena-last-seen";

std::string encode_last_seen(std::int64_t wall_ms);
// None for anything that encode_last_seen() does not write.
std::optional<std::int64_t> decode_last_seen(std::string_view text);

}  // namespace milena::storage
