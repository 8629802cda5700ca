// Prints one message of any kind as JSON, by the tables of all schemas (protocol/schema_table.h).
//
// What the generated codec accepts is printed, and what it refuses is an error, which says where and why;
// what could be read before is printed then. Memory does not depend on the bytes. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/wire/byte_reader.h"
#include "broker/wire/json_writer.h"
#include "protocol/schema_table.h"

namespace milena::wire {

// What a record of a log means.
enum class LogKind { kPlain, kMetadata, kOffsets, kTransactions, kShareState };

struct PrintOptions {
  bool is_raw =
      false;  // bytes and records as they are, not what they mean: so that they can be encoded again
  LogKind records = LogKind::kPlain;  // of `records` fields
};

struct PrintError {
  std::uint64_t at = 0;    // the byte of the input
  std::string field = {};  // topics[2].partitions
  std::string why = {};
};

// "error": {...}, in an open object.
void print_error(JsonWriter& json, const PrintError& error);

class MessagePrinter {
 public:
  MessagePrinter(JsonWriter& json, const PrintOptions& options) : json_(json), options_(options) {}

  // Prints the message at the front of `in` as an object and moves `in` behind it. On an error everything
  // that was opened is closed again.
  std::optional<PrintError> print(const protocol::SchemaMessage& message, int version, ByteReader& in);

  // Batches inside the message that are damaged; each says so where it stands.
  std::size_t damaged_batches() const { return damaged_batches_; }

 private:
  struct PathPart {
    std::string_view name;
    std::size_t index;
  };
  struct Tag {
    std::uint32_t number;
    const protocol::SchemaField* field;  // null if it is unknown
    ByteReader value;
  };
  static constexpr std::size_t kNoIndex = static_cast<std::size_t>(-1);

  // False after an error, which error_ then describes.
  [[nodiscard]] bool fail(const ByteReader& at, std::string why);
  [[nodiscard]] bool structure(std::uint16_t index, ByteReader& in);
  [[nodiscard]] bool named(const protocol::SchemaField& field, ByteReader& in);
  [[nodiscard]] bool array(const protocol::SchemaField& field, ByteReader& in);
  [[nodiscard]] bool value(const protocol::SchemaField& field, ByteReader& in, bool is_nullable);
  [[nodiscard]] bool number(const protocol::SchemaField& field, ByteReader& in);
  [[nodiscard]] bool text(const protocol::SchemaField& field, ByteReader& in, bool is_nullable);
  [[nodiscard]] bool bytes(const protocol::SchemaField& field, ByteReader& in, bool is_nullable);
  [[nodiscard]] bool tags(std::uint16_t index, ByteReader& in);
  [[nodiscard]] bool read_tag(std::uint16_t index, ByteReader& in, std::vector<Tag>& into);
  [[nodiscard]] bool tagged(const Tag& tag);
  [[nodiscard]] bool repeated_tags(const std::vector<Tag>& tags);
  void unknown_tags(const std::vector<Tag>& tags);
  // The declared length of a text or an array; -1 for null. Nothing after an error.
  std::optional<std::int64_t> length(const protocol::SchemaField& field, ByteReader& in, bool is_short);

  JsonWriter& json_;
  const PrintOptions options_;
  const protocol::SchemaMessage* message_ = nullptr;
  int version_ = 0;
  bool is_flexible_ = false;
  std::vector<PathPart> path_;
  PrintError error_;
  std::size_t damaged_batches_ = 0;
};

}  // namespace milena::wire
