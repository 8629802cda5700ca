// What must hold for every message at every version: what is printed says everything that the bytes say, so
// that the same bytes come out of it again, and the printer refuses what the generated codec refuses, and
// nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "base/rng.h"
#include "broker/wire/enum_names.h"
#include "broker/wire/json_reader.h"
#include "broker/wire/message_encoder.h"
#include "broker/wire/message_printer.h"
#include "protocol/hex.h"
#include "protocol/message_table.h"
#include "protocol/testing/random_message.h"

namespace milena::wire {
namespace {

using protocol::kSchemaTable;
using protocol::SchemaMessage;

struct Printed {
  std::string text;
  std::optional<PrintError> error;
  std::size_t left = 0;
};

Printed print(const SchemaMessage& message, int version, BytesView bytes, PrintOptions options) {
  Printed out;
  JsonWriter json(JsonStyle::kOneLine, [&](std::string_view piece) { out.text += piece; });
  ByteReader in(bytes);
  out.error = MessagePrinter(json, options).print(message, version, in);
  json.end_line();
  out.left = in.left();
  return out;
}

// Runs the body for `rounds` random instances of every message and version.
template <class Body>
void for_each_instance(int rounds, Body&& body) {
  SeededRng rng(2026);
  Arena arena;
  for (const protocol::RandomMessage& random : protocol::random_messages()) {
    const SchemaMessage* message = kSchemaTable.find(random.info.name);
    ASSERT_NE(message, nullptr);
    for (int version = random.info.min_version; version <= random.info.max_version; ++version) {
      SCOPED_TRACE(testing::Message() << random.info.name << " v" << version);
      for (int i = 0; i < rounds; ++i) {
        arena.reset();
        body(*message, version, random.make(rng, version, protocol::Tags::kRandom, arena));
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

void expect_same_bytes_again(const SchemaMessage& message, int version, BytesView bytes) {
  const Printed printed = print(message, version, bytes, {.is_raw = true});
  ASSERT_FALSE(printed.error) << printed.error->field << ": " << printed.error->why;
  ASSERT_EQ(printed.left, 0u);
  std::string_view text = printed.text;
  const auto json = read_json(text);
  ASSERT_TRUE(json && *json) << printed.text;
  const auto again = encode_message(message, version, **json);
  ASSERT_TRUE(again) << again.error() << '\n' << printed.text;
  ASSERT_EQ(protocol::to_hex(*again), protocol::to_hex(bytes)) << printed.text;
}

TEST(EveryMessagePrint, IsInTheTable) {
  EXPECT_EQ(kSchemaTable.messages.size(), protocol::message_table().size());
  for (const protocol::MessageEntry& entry : protocol::message_table()) {
    const SchemaMessage* message = kSchemaTable.find(entry.info.name);
    ASSERT_NE(message, nullptr) << entry.info.name;
    EXPECT_EQ(message->key, entry.info.key);
    EXPECT_EQ(message->kind, entry.info.kind);
    EXPECT_EQ(message->min_version, entry.info.min_version);
    EXPECT_EQ(message->max_version, entry.info.max_version);
    for (int version = entry.info.min_version; version <= entry.info.max_version; ++version)
      EXPECT_EQ(message->is_flexible(version), entry.info.flexible(version)) << entry.info.name << version;
  }
}

TEST(EveryMessagePrint, SaysEverythingThatTheBytesSay) { for_each_instance(20, expect_same_bytes_again); }

TEST(EveryMessagePrint, SaysEverythingThatKafkasBytesSay) {
  std::ifstream file("protocol/golden/kafka_4_4_0.txt");
  ASSERT_TRUE(file);
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    std::istringstream words(line);
    std::string name, hex;
    int version = -1;
    words >> name >> version >> hex;
    SCOPED_TRACE(testing::Message() << name << " v" << version);
    const SchemaMessage* message = kSchemaTable.find(name);
    ASSERT_NE(message, nullptr);
    expect_same_bytes_again(*message, version, *protocol::from_hex(hex));
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(lines, 1000);
}

TEST(EveryMessagePrint, IsValidJsonWhereverTheBytesEnd) {
  for_each_instance(1, [&](const SchemaMessage& message, int version, BytesView bytes) {
    for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 16) {
      // A copy of its own, so that a sanitizer sees a read past the end.
      const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const Printed printed = print(message, version, cut, {});
      ASSERT_TRUE(printed.error);
      ASSERT_LE(printed.error->at, size);
      boost::system::error_code error;
      boost::json::parse(printed.text, error);
      ASSERT_FALSE(error) << printed.text;
    }
  });
}

TEST(EveryMessagePrint, RefusesWhatTheCodecRefuses) {
  SeededRng rng(11);
  Arena arena;
  int accepted = 0, refused = 0;
  for_each_instance(20, [&](const SchemaMessage& message, int version, BytesView bytes) {
    std::vector<std::byte> damaged(bytes.begin(), bytes.end());
    for (std::uint64_t i = 0; !damaged.empty() && i <= rng.below(4); ++i)
      damaged[rng.below(damaged.size())] = static_cast<std::byte>(rng.one_in(2) ? 0x7f : rng.next());
    arena.reset();
    BytesView input = damaged;
    const bool is_accepted =
        protocol::find_message(kSchemaTable.name_of(message))->reencode(input, version, arena).has_value();
    const Printed printed = print(message, version, damaged, {});
    ASSERT_EQ(!printed.error.has_value(), is_accepted) << protocol::to_hex(damaged) << '\n' << printed.text;
    if (is_accepted) ASSERT_EQ(printed.left, input.size());
    ++(is_accepted ? accepted : refused);
  });
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

// All fields of the structs of messages whose name holds `part`.
void for_each_struct(auto&& body) {
  for (const SchemaMessage& message : kSchemaTable.messages) {
    std::vector<std::uint16_t> open = {message.structure};
    while (!open.empty()) {
      const auto fields = kSchemaTable.fields_of(open.back());
      open.pop_back();
      for (const auto& field : fields) {
        if (field.type == protocol::WireType::kStruct) open.push_back(field.structure);
      }
      body(kSchemaTable.name_of(message), fields);
    }
  }
}

TEST(EnumNames, EachIsOfAFieldThatExistsAndHasNoOtherUse) {
  std::set<const EnumField*> used;
  for_each_struct([&](std::string_view message, std::span<const protocol::SchemaField> fields) {
    for (const auto& field : fields) {
      const EnumField* known = find_enum(message, kSchemaTable.name_of(field));
      const bool is_integer =
          field.type >= protocol::WireType::kInt8 && field.type <= protocol::WireType::kInt64;
      if (known != nullptr && is_integer) used.insert(known);
    }
  });
  for (const EnumField& each : enum_fields())
    EXPECT_TRUE(used.contains(&each)) << each.field << " of " << each.message_part;
}

TEST(EnumNames, TheNameBesideANumberHidesNoField) {
  for_each_struct([&](std::string_view message, std::span<const protocol::SchemaField> fields) {
    std::set<std::string> names;
    for (const auto& field : fields) names.insert(std::string(kSchemaTable.name_of(field)));
    for (const auto& field : fields) {
      const std::string name(kSchemaTable.name_of(field));
      if (field.is_error_code() || find_enum(message, name) != nullptr)
        EXPECT_FALSE(names.contains(name + "Name")) << message << '.' << name;
    }
  });
}

}  // namespace
}  // namespace milena::wire
