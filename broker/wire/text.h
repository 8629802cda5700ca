// Bytes as text that JSON can hold: UTF-8 as it is, everything else as base64 (RFC 4648, padded, as in
// Kafka's JSON).
//
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace milena::wire {

// Whether these bytes are UTF-8 (RFC 3629: no surrogates, nothing longer than needed).
bool is_utf8(std::string_view text);
// Whether they are UTF-8 without control characters other than tab and line ends: something to read.
bool is_readable_text(std::string_view text);

std::string to_base64(BytesView bytes);
std::optional<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace milena::wire
