#include "broker/wire/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cstdint>

namespace milena::wire {

namespace json = boost::json;

namespace {

// What the parser finds, put together. The text is there as a whole, so nothing comes in parts but long
// strings.
struct Handler {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  using ErrorCode = json::error_code;
  using Text = json::string_view;

  bool on_document_begin(ErrorCode&) { return true; }
  bool on_document_end(ErrorCode&) { return true; }
  bool on_object_begin(ErrorCode&) { return true; }
  bool on_object_end(std::size_t n, ErrorCode&) { return stack.push_object(n), true; }
  bool on_array_begin(ErrorCode&) { return true; }
  bool on_array_end(std::size_t n, ErrorCode&) { return stack.push_array(n), true; }
  bool on_key_part(Text s, std::size_t, ErrorCode&) { return stack.push_chars(s), true; }
  bool on_key(Text s, std::size_t, ErrorCode&) { return stack.push_key(s), true; }
  bool on_string_part(Text s, std::size_t, ErrorCode&) { return stack.push_chars(s), true; }
  bool on_string(Text s, std::size_t, ErrorCode&) { return stack.push_string(s), true; }
  bool on_number_part(Text, ErrorCode&) { return true; }
  bool on_int64(std::int64_t v, Text, ErrorCode&) { return stack.push_int64(v), true; }
  bool on_uint64(std::uint64_t v, Text, ErrorCode&) { return stack.push_uint64(v), true; }
  bool on_double(double v, Text s, ErrorCode&) {
    std::from_chars(s.data(), s.data() + s.size(), v);  // the parser's own value may be off by the last bit
    return stack.push_double(v), true;
  }
  bool on_bool(bool v, ErrorCode&) { return stack.push_bool(v), true; }
  bool on_null(ErrorCode&) { return stack.push_null(), true; }
  bool on_comment_part(Text, ErrorCode&) { return true; }
  bool on_comment(Text, ErrorCode&) { return true; }

  json::value_stack stack;
};

}  // namespace

std::expected<std::optional<json::value>, std::string> read_json(std::string_view& text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  if (text.empty()) return std::nullopt;
  json::basic_parser<Handler> parser{json::parse_options()};
  parser.handler().stack.reset();
  json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (error) return std::unexpected(fmt::format("this is no JSON: {}", error.message()));
  text.remove_prefix(used);
  return parser.handler().stack.release();
}

}  // namespace milena::wire
