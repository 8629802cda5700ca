#include "broker/wire/message_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <boost/json.hpp>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "broker/wire/json_reader.h"
#include "broker/wire/text.h"
#include "protocol/codec.h"
#include "protocol/varint.h"

namespace milena::wire {

namespace json = boost::json;
using protocol::kSchemaTable;
using protocol::SchemaField;
using protocol::SchemaMessage;
using protocol::WireType;

namespace {

using Bytes = std::vector<std::byte>;
using Written = std::expected<void, std::string>;

std::unexpected<std::string> wrong(std::string why) { return std::unexpected(std::move(why)); }

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }
const json::value* member(const json::object& object, std::string_view name) {
  return object.if_contains(json::string_view(name.data(), name.size()));
}

template <class T>
void put(Bytes& out, T value) {
  std::byte bytes[sizeof(T)];
  store_be(bytes, value);
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

void put_uvarint(Bytes& out, std::uint32_t value) {
  std::byte bytes[protocol::kMaxVarint];
  out.insert(out.end(), bytes, protocol::write_unsigned_varint(bytes, value));
}

void put_bytes(Bytes& out, BytesView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// The range of an integer type, and its size on the wire.
struct IntegerType {
  std::int64_t lowest;
  std::int64_t highest;
  std::size_t size;
};

template <class T>
constexpr IntegerType integer_type() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), sizeof(T)};
}

IntegerType integer_type(WireType type) {
  switch (type) {
    case WireType::kInt8:
      return integer_type<std::int8_t>();
    case WireType::kInt16:
      return integer_type<std::int16_t>();
    case WireType::kUint16:
      return integer_type<std::uint16_t>();
    case WireType::kInt32:
      return integer_type<std::int32_t>();
    case WireType::kUint32:
      return integer_type<std::uint32_t>();
    default:
      return integer_type<std::int64_t>();
  }
}

// What the schema says that a field is when it is not there.
json::value default_value(const SchemaField& field, bool is_nullable) {
  const std::string_view text = kSchemaTable.text(field.default_value);
  if (is_nullable && (text.empty() || text == "null")) return nullptr;
  if (field.is_array()) return json::array();
  switch (field.type) {
    case WireType::kStruct:
      return json::object();
    case WireType::kBool:
      return text == "true";
    case WireType::kUuid:
      return json::string(Uuid().to_string());
    case WireType::kString:
    case WireType::kBytes:
    case WireType::kRecords:
      return json::string();
    default:
      return std::strtoll(std::string(text).c_str(), nullptr, 0);
  }
}

// "abc", or {"base64": "YWJj"}.
std::expected<Bytes, std::string> bytes_of(const json::value& value) {
  if (const auto* text = value.if_string()) {
    const BytesView bytes = as_bytes(view(*text));
    return Bytes(bytes.begin(), bytes.end());
  }
  const auto* object = value.if_object();
  const auto* base64 = object != nullptr ? member(*object, "base64") : nullptr;
  if (base64 == nullptr || !base64->is_string())
    return wrong(
        "neither a string nor {\"base64\": ...}; what was printed decoded must be printed with --raw");
  auto bytes = from_base64(view(base64->get_string()));
  if (!bytes) return wrong("not base64");
  return *std::move(bytes);
}

class MessageEncoder {
 public:
  MessageEncoder(const SchemaMessage& message, int version)
      : version_(version), is_flexible_(message.is_flexible(version)) {}

  Written structure(std::uint16_t index, const json::value& value, Bytes& out) {
    const auto* object = value.if_object();
    if (object == nullptr) return wrong("not an object");
    const auto fields = kSchemaTable.fields_of(index);
    MILENA_CHECK(check_names(fields, *object));
    for (const SchemaField& field : fields) {
      if (field.is_tagged() || !field.versions.contains(version_)) continue;
      MILENA_CHECK(named(field, member(*object, kSchemaTable.name_of(field)), out));
    }
    return is_flexible_ ? tags(fields, *object, out) : Written();
  }

 private:
  Written check_names(std::span<const SchemaField> fields, const json::object& object) const {
    for (const auto& each : object) {
      const std::string_view key(each.key().data(), each.key().size());
      if (is_flexible_ && key == "unknownTags") continue;
      const bool is_known = std::ranges::any_of(fields, [&](const SchemaField& field) {
        const std::string_view name = kSchemaTable.name_of(field);
        return field.versions.contains(version_) &&
               (key == name || (key.starts_with(name) && key.substr(name.size()) == "Name"));
      });
      if (!is_known) return wrong(fmt::format("{} is no field of this version", key));
    }
    return {};
  }

  Written named(const SchemaField& field, const json::value* given, Bytes& out) {
    const bool is_nullable = field.nullable.contains(version_);
    const json::value absent = given == nullptr ? default_value(field, is_nullable) : json::value();
    const json::value& value = given == nullptr ? absent : *given;
    auto written =
        field.is_array() ? array(field, value, is_nullable, out) : one(field, value, is_nullable, out);
    if (!written) return wrong(fmt::format("{}: {}", kSchemaTable.name_of(field), written.error()));
    return {};
  }

  Written array(const SchemaField& field, const json::value& value, bool is_nullable, Bytes& out) {
    if (value.is_null() && is_nullable) return length(field, -1, false, out);
    const auto* elements = value.if_array();
    if (elements == nullptr) return wrong("not an array");
    MILENA_CHECK(length(field, static_cast<std::int64_t>(elements->size()), false, out));
    for (std::size_t i = 0; i < elements->size(); ++i) {
      const auto written = one(field, (*elements)[i], false, out);
      if (!written) return wrong(fmt::format("[{}]: {}", i, written.error()));
    }
    return {};
  }

  Written one(const SchemaField& field, const json::value& value, bool is_nullable, Bytes& out) {
    switch (field.type) {
      case WireType::kString:
      case WireType::kBytes:
      case WireType::kRecords:
        return text(field, value, is_nullable, out);
      case WireType::kStruct:
        if (is_nullable) {
          const bool is_null = value.is_null();
          field.is_tagged() ? put_uvarint(out, is_null ? 0 : 1) : put(out, std::int8_t(is_null ? -1 : 1));
          if (is_null) return {};
        }
        return structure(field.structure, value, out);
      case WireType::kBool:
        if (!value.is_bool()) return wrong("neither true nor false");
        put(out, static_cast<std::int8_t>(value.get_bool()));
        return {};
      case WireType::kUuid: {
        const auto id = value.is_string() ? Uuid::parse(view(value.get_string())) : std::nullopt;
        if (!id) return wrong("not a uuid in Kafka's base64 form");
        put_bytes(out, id->bytes);
        return {};
      }
      case WireType::kFloat64:
        return real(value, out);
      default:
        return integer(field.type, value, out);
    }
  }

  static Written integer(WireType type, const json::value& value, Bytes& out) {
    const IntegerType range = integer_type(type);
    boost::system::error_code error;
    const auto number = value.to_number<std::int64_t>(error);
    if (error || number < range.lowest || number > range.highest)
      return wrong(fmt::format("not a whole number from {} to {}", range.lowest, range.highest));
    std::byte bytes[sizeof number];
    store_be(bytes, number);
    put_bytes(out, BytesView(bytes).last(range.size));
    return {};
  }

  static Written real(const json::value& value, Bytes& out) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    boost::system::error_code error;
    double number = value.to_number<double>(error);
    if (value.is_string()) {
      const std::string_view name = view(value.get_string());
      number = name == "NaN"        ? std::numeric_limits<double>::quiet_NaN()
               : name == "Infinity" ? kInfinity
                                    : -kInfinity;
      if (name != "NaN" && name != "Infinity" && name != "-Infinity") return wrong("not a number");
    } else if (error) {
      return wrong("not a number");
    }
    put(out, std::bit_cast<std::uint64_t>(number));
    return {};
  }

  Written text(const SchemaField& field, const json::value& value, bool is_nullable, Bytes& out) {
    const bool is_string = field.type == WireType::kString;
    if (value.is_null() && is_nullable) return length(field, -1, is_string, out);
    if (value.is_null()) return wrong("null, which it may not be in this version");
    MILENA_TRY(const Bytes bytes, bytes_of(value));
    if (is_string && bytes.size() > protocol::kMaxTextSize) return wrong("longer than a string may be");
    MILENA_CHECK(length(field, static_cast<std::int64_t>(bytes.size()), is_string, out));
    put_bytes(out, bytes);
    return {};
  }

  Written length(const SchemaField& field, std::int64_t size, bool is_short, Bytes& out) const {
    if (size >= std::numeric_limits<std::int32_t>::max()) return wrong("too long");
    if (is_flexible_ && !field.is_inflexible()) {
      put_uvarint(out, static_cast<std::uint32_t>(size + 1));
    } else if (is_short) {
      put(out, static_cast<std::int16_t>(size));
    } else {
      put(out, static_cast<std::int32_t>(size));
    }
    return {};
  }

  Written tags(std::span<const SchemaField> fields, const json::object& object, Bytes& out) {
    std::map<std::uint32_t, Bytes> tags;
    for (const SchemaField& field : fields) {
      const auto* value = member(object, kSchemaTable.name_of(field));
      if (!field.is_tagged() || value == nullptr) continue;
      MILENA_CHECK(named(field, value, tags[static_cast<std::uint32_t>(field.tag)]));
    }
    if (const auto* unknown = member(object, "unknownTags")) MILENA_CHECK(unknown_tags(*unknown, tags));
    put_uvarint(out, static_cast<std::uint32_t>(tags.size()));
    for (const auto& [number, bytes] : tags) {
      put_uvarint(out, number);
      put_uvarint(out, static_cast<std::uint32_t>(bytes.size()));
      put_bytes(out, bytes);
    }
    return {};
  }

  static Written unknown_tags(const json::value& value, std::map<std::uint32_t, Bytes>& tags) {
    const auto* list = value.if_array();
    if (list == nullptr) return wrong("unknownTags: not an array");
    for (const json::value& each : *list) {
      const auto* object = each.if_object();
      const auto* number = object != nullptr ? member(*object, "tag") : nullptr;
      const auto* content = object != nullptr ? member(*object, "value") : nullptr;
      boost::system::error_code error;
      const auto tag = number != nullptr ? number->to_number<std::uint32_t>(error) : 0;
      if (number == nullptr || content == nullptr || error)
        return wrong("unknownTags: not {\"tag\": N, \"value\": ...}");
      MILENA_TRY(Bytes bytes, bytes_of(*content));
      if (!tags.emplace(tag, std::move(bytes)).second)
        return wrong(fmt::format("tag {} is there twice", tag));
    }
    return {};
  }

  const int version_;
  const bool is_flexible_;
};

std::optional<std::int16_t> short_member(const json::object& object, std::string_view name) {
  const auto* value = member(object, name);
  boost::system::error_code error;
  const auto number = value != nullptr ? value->to_number<std::int16_t>(error) : std::int16_t{0};
  return value == nullptr || error ? std::nullopt : std::optional(number);
}

// A header and a message, with their size in front.
struct FrameParts {
  std::string_view header;
  protocol::MessageKind kind;
  std::string_view body;
  std::optional<std::int16_t> key;
  std::optional<std::int16_t> version;
};

Encoding encode_parts(const FrameParts& parts, const json::object& line, const json::value& header) {
  const auto* body = member(line, parts.body);
  if (!parts.key || !parts.version || body == nullptr)
    return wrong(fmt::format("the key or the version of the API is missing, or {}", parts.body));
  const auto* message = kSchemaTable.find(parts.kind, *parts.key);
  if (message == nullptr) return wrong(fmt::format("there is no API {}", *parts.key));
  const bool is_request = parts.kind == protocol::MessageKind::kRequest;
  constexpr std::int16_t kApiVersionsKey = 18;  // its responses always have header version 0
  const bool is_flexible =
      message->is_flexible(*parts.version) && (is_request || *parts.key != kApiVersionsKey);
  MILENA_TRY(const Bytes head, encode_message(*kSchemaTable.find(parts.header),
                                              (is_request ? 1 : 0) + (is_flexible ? 1 : 0), header));
  MILENA_TRY(const Bytes content, encode_message(*message, *parts.version, *body));
  Bytes frame;
  put(frame, static_cast<std::int32_t>(head.size() + content.size()));
  put_bytes(frame, head);
  put_bytes(frame, content);
  return frame;
}

}  // namespace

Encoding encode_message(const SchemaMessage& message, int version, const json::value& value) {
  if (!message.has_version(version))
    return wrong(fmt::format("{} has no version {}", kSchemaTable.name_of(message), version));
  Bytes out;
  const auto written = MessageEncoder(message, version).structure(message.structure, value, out);
  if (!written) return wrong(fmt::format("{}: {}", kSchemaTable.name_of(message), written.error()));
  return out;
}

Encoding encode_frame(const json::value& value) {
  const auto* line = value.if_object();
  if (line == nullptr) return wrong("not an object");
  if (const auto* header = member(*line, "requestHeader"); header != nullptr && header->is_object()) {
    const json::object& fields = header->get_object();
    return encode_parts({.header = "RequestHeader",
                         .kind = protocol::MessageKind::kRequest,
                         .body = "request",
                         .key = short_member(fields, "requestApiKey"),
                         .version = short_member(fields, "requestApiVersion")},
                        *line, *header);
  }
  const auto* header = member(*line, "responseHeader");
  if (header == nullptr) return wrong("neither requestHeader nor responseHeader is there");
  return encode_parts({.header = "ResponseHeader",
                       .kind = protocol::MessageKind::kResponse,
                       .body = "response",
                       .key = short_member(*line, "apiKey"),
                       .version = short_member(*line, "apiVersion")},
                      *line, *header);
}

Encoding encode_frames(std::string_view text) {
  Bytes out;
  for (;;) {
    MILENA_TRY(const auto line, read_json(text));
    if (!line) return out;
    MILENA_TRY(const Bytes frame, encode_frame(*line));
    put_bytes(out, frame);
  }
}

}  // namespace milena::wire
