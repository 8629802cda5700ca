// Text of clients (group ids, names of software) as the text format wants it.
#pragma once

#include <string>
#include <string_view>

namespace milena::broker {

// The same text with each byte that belongs to no UTF-8 character replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace milena::broker
