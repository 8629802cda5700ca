// Reads JSON values that stand one after the other in a text.
//
// As boost::json::parse(), but that numbers with a fraction are exact to the last bit. Pure; any thread.
#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace milena::wire {

// The value at the front of `text`, which moves behind it; nothing if only blanks are left. The error is a
// sentence.
std::expected<std::optional<boost::json::value>, std::string> read_json(std::string_view& text);

}  // namespace milena::wire
