// Any bytes as any message, frame or segment: printing ends, what comes out is valid JSON, and the printer
// accepts a message exactly if the generated codec does, and then says all of it.
//
// The first byte chooses what the rest is: a message of the table at a version, requests, responses, or a
// segment.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "broker/wire/frame_printer.h"
#include "broker/wire/json_reader.h"
#include "broker/wire/message_encoder.h"
#include "broker/wire/segment_printer.h"
#include "protocol/message_table.h"

namespace {

using namespace milena;        // NOLINT(google-build-using-namespace)
using namespace milena::wire;  // NOLINT(google-build-using-namespace)
using protocol::kSchemaTable;
using protocol::SchemaMessage;

struct Text {
  std::string text;
  JsonWriter json{JsonStyle::kOneLine, [this](std::string_view piece) { text += piece; }};
};

boost::json::value parsed(std::string_view line) {
  auto value = read_json(line);
  MILENA_ASSERT(value && *value, "what is printed is JSON");
  return **std::move(value);
}

void check_lines(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    MILENA_ASSERT(end != std::string::npos, "a line ends");
    parsed(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
}

// The bytes of a message, as far as it goes, come out of the JSON that says everything. Not so for what can
// be encoded in several ways: a tag that comes twice, tags in another order, padded varints.
void check_reencoding(const SchemaMessage& message, int version, BytesView bytes, const std::string& text) {
  if (text.contains("\"repeatedTags\"")) return;
  const auto again = encode_message(message, version, parsed(text));
  if (!again) return;
  Text twice;
  ByteReader in(*again);
  MILENA_ASSERT(!MessagePrinter(twice.json, {.is_raw = true}).print(message, version, in),
                "what was encoded decodes");
  MILENA_ASSERT(again->size() <= bytes.size(), "the encoder writes the shortest form");
}

void check_message(const SchemaMessage& message, int version, BytesView bytes) {
  Text decoded;
  ByteReader in(bytes);
  const bool is_accepted = !MessagePrinter(decoded.json, {}).print(message, version, in);
  decoded.json.end_line();
  parsed(decoded.text);
  Arena arena;
  BytesView rest = bytes;
  const auto entry = protocol::find_message(kSchemaTable.name_of(message));
  MILENA_ASSERT(entry->reencode(rest, version, arena).has_value() == is_accepted, "both decoders agree");
  if (!is_accepted) return;
  MILENA_ASSERT(rest.size() == in.left(), "both decoders read as far");
  Text raw;
  ByteReader raw_in(bytes);
  MILENA_ASSERT(!MessagePrinter(raw.json, {.is_raw = true}).print(message, version, raw_in),
                "raw decodes as well");
  raw.json.end_line();
  check_reencoding(message, version, bytes.first(bytes.size() - in.left()), raw.text);
}

void check_frames(BytesView bytes, bool is_response) {
  Text out;
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  if (is_response && copy.size() > 4) {
    const ApiVersion api{std::to_integer<std::int16_t>(copy[0]), std::to_integer<std::int16_t>(copy[1])};
    copy.erase(copy.begin(), copy.begin() + 2);
    Input input = Input::of(std::move(copy));
    print_responses(input, out.json, {}, api);
  } else {
    Input input = Input::of(std::move(copy));
    print_requests(input, out.json, {});
  }
  check_lines(out.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const BytesView bytes{reinterpret_cast<const std::byte*>(data), size};
  const BytesView rest = bytes.subspan(1);
  switch (data[0] % 8) {
    case 0:
    case 1:
      check_frames(rest, data[0] % 8 == 1);
      break;
    case 2: {
      Text out;
      Input input = Input::of({rest.begin() + 1, rest.end()});
      print_segment(input, out.json, static_cast<LogKind>(data[1] % 5));
      check_lines(out.text);
      break;
    }
    default: {
      const auto messages = kSchemaTable.messages;
      const SchemaMessage& message = messages[(data[0] * 256u + data[1]) / 8 % messages.size()];
      const int versions = message.max_version - message.min_version + 1;
      check_message(message, message.min_version + data[2] % versions, bytes.subspan(3));
    }
  }
  return 0;
}
