#include "broker/config/properties.h"

#include <fmt/core.h>

#include <charconv>
#include <cstdint>

namespace milena::broker {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }
bool ends_line(char c) { return c == '\n' || c == '\r'; }

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  using Pairs = std::vector<std::pair<std::string, std::string>>;

  std::expected<Pairs, std::string> parse() {
    Pairs pairs;
    while (at_ < text_.size()) {
      const std::string line = logical_line();
      if (line.empty()) continue;
      auto pair = split(line);
      if (!pair) return std::unexpected(fmt::format("line {}: {}", line_number_, pair.error()));
      pairs.push_back(*std::move(pair));
    }
    return pairs;
  }

 private:
  // The next line with its continuations, without leading blanks; empty for comments and blank lines. Escapes
  // are still in it.
  std::string logical_line() {
    std::string line;
    skip_blanks();
    const bool is_comment = at_ < text_.size() && (text_[at_] == '#' || text_[at_] == '!');
    for (;;) {
      while (at_ < text_.size() && !ends_line(text_[at_])) {
        line += text_[at_++];
        if (line.back() == '\\' && at_ < text_.size() && !ends_line(text_[at_])) line += text_[at_++];
      }
      const bool continued =
          !is_comment && !line.empty() && line.back() == '\\' && ends_in_odd_backslashes(line);
      ++line_number_;
      if (at_ < text_.size()) at_ += text_.substr(at_).starts_with("\r\n") ? 2 : 1;
      if (!continued) break;
      line.pop_back();
      if (at_ >= text_.size()) break;
      skip_blanks();
    }
    return is_comment ? "" : line;
  }

  static bool ends_in_odd_backslashes(std::string_view line) {
    return (line.size() - 1 - line.find_last_not_of('\\')) % 2 == 1;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  static std::expected<std::pair<std::string, std::string>, std::string> split(std::string_view line) {
    std::size_t end = 0;
    while (end < line.size() && line[end] != '=' && line[end] != ':' && !is_blank(line[end])) {
      end += line[end] == '\\' ? 2 : 1;
    }
    end = std::min(end, line.size());
    std::size_t value = end;
    while (value < line.size() && is_blank(line[value])) ++value;
    if (value < line.size() && (line[value] == '=' || line[value] == ':')) ++value;
    while (value < line.size() && is_blank(line[value])) ++value;
    auto key = unescaped(line.substr(0, end));
    if (!key) return std::unexpected(key.error());
    auto text = unescaped(line.substr(value));
    if (!text) return std::unexpected(text.error());
    return std::pair{*std::move(key), *std::move(text)};
  }

  static std::expected<std::string, std::string> unescaped(std::string_view raw) {
    std::string out;
    std::uint32_t high_surrogate = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      std::uint32_t code = static_cast<unsigned char>(raw[i]);
      if (raw[i] == '\\' && i + 1 < raw.size()) {
        const char escape = raw[++i];
        code = static_cast<unsigned char>(escape);
        if (escape == 't') code = '\t';
        if (escape == 'n') code = '\n';
        if (escape == 'r') code = '\r';
        if (escape == 'f') code = '\f';
        if (escape == 'u') {
          const std::string_view digits = raw.substr(i + 1, 4);
          const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
          if (digits.size() < 4 || error != std::errc{} || end != digits.data() + 4) {
            return std::unexpected("Malformed \\uxxxx encoding.");
          }
          i += 4;
        }
      } else if (raw[i] == '\\') {
        break;  // a backslash at the very end of the file
      }
      if (code >= 0xd800 && code < 0xdc00) {
        high_surrogate = code;
        continue;
      }
      if (code >= 0xdc00 && code < 0xe000 && high_surrogate != 0) {
        code = 0x10000 + ((high_surrogate - 0xd800) << 10) + (code - 0xdc00);
      }
      high_surrogate = 0;
      append_utf8(out, code);
    }
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_number_ = 0;
};

}  // namespace

std::expected<std::vector<std::pair<std::string, std::string>>, std::string> parse_properties(
    std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // as editors on Windows write it
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.find('\0') != std::string_view::npos) return std::unexpected("it is no text: it holds NUL bytes");
  return Parser(text).parse();
}

}  // namespace milena::broker
