#include "broker/wire/json_writer.h"

#include <fmt/format.h>

#include <cmath>

#include "base/assert.h"
#include "broker/wire/text.h"

namespace milena::wire {
namespace {

constexpr std::size_t kPieceBytes = 1 << 16;

}  // namespace

void JsonWriter::put(std::string_view text) {
  if (!sink_) return;
  buffer_ += text;
  if (buffer_.size() < kPieceBytes) return;
  sink_(buffer_);
  buffer_.clear();
}

void JsonWriter::before_value() {
  if (!open_.empty()) {
    if (!open_.back().is_empty) put(",");
    open_.back().is_empty = false;
    if (style_ == JsonStyle::kPretty) put('\n' + std::string(2 * open_.size(), ' '));
  }
  if (!has_key_) return;
  has_key_ = false;
  quoted(key_);
  put(style_ == JsonStyle::kPretty ? ": " : ":");
}

void JsonWriter::open(char opening) {
  before_value();
  put({&opening, 1});
  open_.push_back({opening == '{' ? '}' : ']', true});
}

void JsonWriter::close() {
  MILENA_ASSERT(!open_.empty() && !has_key_, "what is closed was opened, and its last key has a value");
  const Level level = open_.back();
  open_.pop_back();
  if (style_ == JsonStyle::kPretty && !level.is_empty) put('\n' + std::string(2 * open_.size(), ' '));
  put({&level.closing, 1});
}

void JsonWriter::close_to(std::size_t depth) {
  has_key_ = false;
  while (open_.size() > depth) close();
}

void JsonWriter::key(std::string_view name) {
  key_ = name;
  has_key_ = true;
}

void JsonWriter::literal(std::string_view text) {
  before_value();
  put(text);
}

void JsonWriter::number(std::int64_t v) { literal(fmt::format_int(v).c_str()); }

void JsonWriter::number(double v) {
  if (std::isfinite(v)) return literal(fmt::format("{}", v));
  text(std::isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
}

void JsonWriter::text(std::string_view v) {
  if (!is_utf8(v)) return base64(as_bytes(v));
  before_value();
  quoted(v);
}

void JsonWriter::bytes(BytesView v) {
  if (!is_readable_text(as_text(v))) return base64(v);
  before_value();
  quoted(as_text(v));
}

void JsonWriter::base64(BytesView bytes) {
  begin_object();
  key("base64");
  before_value();
  put("\"");
  put(to_base64(bytes));
  put("\"");
  end_object();
}

void JsonWriter::quoted(std::string_view text) {
  if (!sink_) return;
  put("\"");
  std::size_t plain = 0;  // from here to `at`, nothing needs escaping
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool is_plain = static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != '\x7f';
    if (is_plain) continue;
    put(text.substr(plain, at - plain));
    plain = at + 1;
    switch (c) {
      case '"':
        put("\\\"");
        break;
      case '\\':
        put("\\\\");
        break;
      case '\n':
        put("\\n");
        break;
      case '\t':
        put("\\t");
        break;
      default:
        put(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
    }
  }
  put(text.substr(plain));
  put("\"");
}

void JsonWriter::end_line() {
  MILENA_ASSERT(open_.empty() && !has_key_, "a line is a whole value");
  put("\n");
  if (sink_) sink_(buffer_);
  buffer_.clear();
}

}  // namespace milena::wire
