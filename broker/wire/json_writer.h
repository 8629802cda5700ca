// JsonWriter: JSON text, written piece by piece, so that what is printed need not be in memory as a tree.
//
// The caller opens and closes objects and arrays in order. A key is written with its value. close_to() closes
// what an error left open, and forgets a key without a value, so that the text is valid JSON whatever
// happens. Not thread-safe. Cannot fail; what becomes of the text is the sink's part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace milena::wire {

enum class JsonStyle { kOneLine, kPretty };

class JsonWriter {
 public:
  using Sink = std::function<void(std::string_view)>;

  // The sink gets the text in pieces of some size, and the rest at the end of each line.
  JsonWriter(JsonStyle style, Sink sink) : style_(style), sink_(std::move(sink)) {}
  // Writes nothing: for finding out whether something can be printed.
  static JsonWriter nowhere() { return JsonWriter(JsonStyle::kOneLine, nullptr); }

  void begin_object() { open('{'); }
  void end_object() { close(); }
  void begin_array() { open('['); }
  void end_array() { close(); }
  void key(std::string_view name);

  void null() { literal("null"); }
  void boolean(bool v) { literal(v ? "true" : "false"); }
  void number(std::int64_t v);
  void number(double v);  // NaN and the infinities, which JSON lacks, are strings
  // Bytes that should be UTF-8, a string; if they are not, {"base64": ...}.
  void text(std::string_view v);
  // Any bytes: a string if it can be read, else {"base64": ...}.
  void bytes(BytesView v);

  void field(std::string_view name, std::int64_t v) { key(name), number(v); }
  void field(std::string_view name, std::string_view v) { key(name), text(v); }
  void flag(std::string_view name, bool v) { key(name), boolean(v); }

  std::size_t depth() const { return open_.size(); }
  void close_to(std::size_t depth);
  // Ends the line and hands everything to the sink. Nothing is open.
  void end_line();

 private:
  struct Level {
    char closing;
    bool is_empty;
  };

  void open(char opening);
  void close();
  void literal(std::string_view text);
  void quoted(std::string_view text);
  void base64(BytesView bytes);
  void before_value();
  void put(std::string_view text);

  JsonStyle style_;
  Sink sink_;
  std::string buffer_;
  std::vector<Level> open_;
  std::string key_;  // of the value that comes next
  bool has_key_ = false;
};

}  // namespace milena::wire
