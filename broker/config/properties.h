// The syntax of .properties files, as java.util.Properties reads them: comments, continued lines, escapes,
// any of
// '=', ':' and blanks between key and value, ISO-8859-1 bytes. Keys and values come out as UTF-8.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace milena::broker {

// In the order of the file; a key may come more than once, the last one counts.
// The only error is a broken \u escape; it names the line.
std::expected<std::vector<std::pair<std::string, std::string>>, std::string> parse_properties(
    std::string_view text);

}  // namespace milena::broker
