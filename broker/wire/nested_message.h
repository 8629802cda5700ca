// Messages inside the `bytes` fields of other messages: what classic consumers tell each other through the
// coordinator, and a forwarded request with its principal.
//
// Pure functions; any thread.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "broker/wire/json_writer.h"

namespace milena::wire {

// Prints {"type", "version", "data"}, or a whole request, if the field holds such, and the bytes are one from
// their first to their last. Else prints nothing and returns false: the bytes may be another protocol's.
bool print_nested(JsonWriter& json, std::string_view message, std::string_view field, BytesView bytes);

}  // namespace milena::wire
