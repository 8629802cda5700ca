#include "broker/wire/message_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/uuid.h"
#include "broker/wire/batch_printer.h"
#include "broker/wire/enum_names.h"
#include "broker/wire/nested_message.h"
#include "protocol/error_code.h"

namespace milena::wire {

using protocol::kSchemaTable;
using protocol::SchemaField;
using protocol::SchemaMessage;
using protocol::WireType;

namespace {

std::size_t wire_size(WireType type) {
  switch (type) {
    case WireType::kBool:
    case WireType::kInt8:
      return 1;
    case WireType::kInt16:
    case WireType::kUint16:
      return 2;
    case WireType::kInt32:
    case WireType::kUint32:
      return 4;
    default:
      return 8;
  }
}

// Of an integer field.
std::int64_t integer(WireType type, BytesView bytes) {
  switch (type) {
    case WireType::kInt8:
      return load_be<std::int8_t>(bytes.data());
    case WireType::kInt16:
      return load_be<std::int16_t>(bytes.data());
    case WireType::kUint16:
      return load_be<std::uint16_t>(bytes.data());
    case WireType::kInt32:
      return load_be<std::int32_t>(bytes.data());
    case WireType::kUint32:
      return load_be<std::uint32_t>(bytes.data());
    default:
      return load_be<std::int64_t>(bytes.data());
  }
}

// The name beside a number; empty if there is none.
std::string_view number_name(std::string_view message, const SchemaField& field, std::int64_t value) {
  if (field.is_error_code()) {
    const auto code = static_cast<ErrorCode>(value);
    const bool is_known =
        code == ErrorCode::kUnknownServerError || error_name(code) != "UNKNOWN_SERVER_ERROR";
    return is_known ? error_name(code) : std::string_view();
  }
  const EnumField* known = find_enum(message, kSchemaTable.name_of(field));
  return known != nullptr ? enum_name(*known, value) : std::string_view();
}

}  // namespace

void print_error(JsonWriter& json, const PrintError& error) {
  json.key("error");
  json.begin_object();
  json.field("at", static_cast<std::int64_t>(error.at));
  if (!error.field.empty()) json.field("field", error.field);
  json.field("why", error.why);
  json.end_object();
}

std::optional<PrintError> MessagePrinter::print(const SchemaMessage& message, int version, ByteReader& in) {
  if (!message.has_version(version)) {
    json_.null();
    return PrintError{.at = in.position(),
                      .why = fmt::format("{} has no version {}, only {} to {}", kSchemaTable.name_of(message),
                                         version, message.min_version, message.max_version)};
  }
  message_ = &message;
  version_ = version;
  is_flexible_ = message.is_flexible(version);
  path_.clear();
  const std::size_t depth = json_.depth();
  if (structure(message.structure, in)) return std::nullopt;
  json_.close_to(depth);
  return std::move(error_);
}

bool MessagePrinter::fail(const ByteReader& at, std::string why) {
  std::string field;
  for (const PathPart& part : path_) {
    if (part.index != kNoIndex) {
      field += fmt::format("[{}]", part.index);
    } else {
      field += field.empty() ? part.name : fmt::format(".{}", part.name);
    }
  }
  error_ = {.at = at.position(), .field = std::move(field), .why = std::move(why)};
  return false;
}

bool MessagePrinter::structure(std::uint16_t index, ByteReader& in) {
  json_.begin_object();
  for (const SchemaField& field : kSchemaTable.fields_of(index)) {
    if (!field.is_tagged() && field.versions.contains(version_) && !named(field, in)) return false;
  }
  if (is_flexible_ && !tags(index, in)) return false;
  json_.end_object();
  return true;
}

bool MessagePrinter::named(const SchemaField& field, ByteReader& in) {
  const std::string_view name = kSchemaTable.name_of(field);
  path_.push_back({name, kNoIndex});
  json_.key(name);
  const bool is_nullable = field.nullable.contains(version_);
  if (!(field.is_array() ? array(field, in) : value(field, in, is_nullable))) return false;
  path_.pop_back();
  return true;
}

std::optional<std::int64_t> MessagePrinter::length(const SchemaField& field, ByteReader& in, bool is_short) {
  const ByteReader start = in;
  std::optional<std::int64_t> size;
  if (is_flexible_ && !field.is_inflexible()) {
    if (const auto n = in.uvarint()) size = static_cast<std::int64_t>(*n) - 1;
  } else if (is_short) {
    size = in.fixed<std::int16_t>();
  } else {
    size = in.fixed<std::int32_t>();
  }
  std::string why;
  if (!size) {
    why = fmt::format("a length does not fit the {} bytes left", start.left());
  } else if (*size < 0 && !field.nullable.contains(version_)) {
    why = "null, which it may not be in this version";
  }
  if (!why.empty() && !fail(start, std::move(why))) return std::nullopt;
  return std::max<std::int64_t>(*size, -1);
}

bool MessagePrinter::array(const SchemaField& field, ByteReader& in) {
  const ByteReader start = in;
  const auto count = length(field, in, false);
  if (!count) return false;
  if (*count < 0) return json_.null(), true;
  if (*count > protocol::kMaxArrayElements || std::cmp_greater(*count, in.left()))
    return fail(start, fmt::format("{} elements are announced, {} bytes are left", *count, in.left()));
  json_.begin_array();
  for (std::int64_t i = 0; i < *count; ++i) {
    path_.push_back({"", static_cast<std::size_t>(i)});
    if (!value(field, in, false)) return false;
    path_.pop_back();
  }
  json_.end_array();
  return true;
}

bool MessagePrinter::value(const SchemaField& field, ByteReader& in, bool is_nullable) {
  switch (field.type) {
    case WireType::kString:
      return text(field, in, is_nullable);
    case WireType::kBytes:
    case WireType::kRecords:
      return bytes(field, in, is_nullable);
    case WireType::kStruct:
      break;
    default:
      return number(field, in);
  }
  if (is_nullable) {
    const ByteReader start = in;
    std::optional<bool> is_null;
    if (field.is_tagged()) {
      if (const auto mark = in.uvarint()) is_null = *mark == 0;
    } else if (const auto mark = in.fixed<std::int8_t>()) {
      is_null = *mark < 0;
    }
    if (!is_null) return fail(start, "the byte that says whether it is null is missing");
    if (*is_null) return json_.null(), true;
  }
  return structure(field.structure, in);
}

bool MessagePrinter::number(const SchemaField& field, ByteReader& in) {
  const std::size_t size = field.type == WireType::kUuid ? sizeof(Uuid) : wire_size(field.type);
  const auto bytes = in.take(size);
  if (!bytes) return fail(in, fmt::format("{} bytes are needed, {} are left", size, in.left()));
  switch (field.type) {
    case WireType::kBool:
      json_.boolean((*bytes)[0] != std::byte{0});
      return true;
    case WireType::kFloat64:
      json_.number(std::bit_cast<double>(load_be<std::uint64_t>(bytes->data())));
      return true;
    case WireType::kUuid: {
      Uuid id;
      std::ranges::copy(*bytes, id.bytes.begin());
      json_.text(id.to_string());
      return true;
    }
    default:
      break;
  }
  const std::int64_t number = integer(field.type, *bytes);
  json_.number(number);
  const std::string_view name = number_name(kSchemaTable.name_of(*message_), field, number);
  if (!name.empty() && !field.is_array())
    json_.field(fmt::format("{}Name", kSchemaTable.name_of(field)), name);
  return true;
}

bool MessagePrinter::text(const SchemaField& field, ByteReader& in, bool is_nullable) {
  const ByteReader start = in;
  const auto size = length(field, in, true);
  if (!size) return false;
  if (*size < 0 && is_nullable) return json_.null(), true;
  if (*size < 0) return fail(start, "null, which an element may not be");
  if (std::cmp_greater(*size, protocol::kMaxTextSize))
    return fail(start, fmt::format("a string of {} bytes, {} is the most", *size, protocol::kMaxTextSize));
  const auto taken = in.take(static_cast<std::size_t>(*size));
  if (!taken) return fail(start, fmt::format("a string of {} bytes, {} are left", *size, in.left()));
  json_.text(as_text(*taken));
  return true;
}

bool MessagePrinter::bytes(const SchemaField& field, ByteReader& in, bool is_nullable) {
  const ByteReader start = in;
  const auto size = length(field, in, false);
  if (!size) return false;
  if (*size < 0 && is_nullable) return json_.null(), true;
  if (*size < 0) return fail(start, "null, which an element may not be");
  const std::uint64_t position = in.position();
  const auto taken = in.take(static_cast<std::size_t>(*size));
  if (!taken) return fail(start, fmt::format("{} bytes are announced, {} are left", *size, in.left()));
  if (options_.is_raw) return json_.bytes(*taken), true;
  if (field.type == WireType::kRecords) {
    damaged_batches_ += print_batches(json_, options_.records, *taken, position);
  } else if (!print_nested(json_, kSchemaTable.name_of(*message_), kSchemaTable.name_of(field), *taken)) {
    json_.bytes(*taken);
  }
  return true;
}

bool MessagePrinter::tags(std::uint16_t index, ByteReader& in) {
  path_.push_back({"tagged fields", kNoIndex});
  const ByteReader start = in;
  const auto count = in.uvarint();
  if (!count) return fail(start, "their number is missing");
  if (*count > protocol::kMaxTaggedFields) return fail(start, fmt::format("{} are too many", *count));
  std::vector<Tag> found;
  for (std::uint32_t i = 0; i < *count; ++i) {
    if (!read_tag(index, in, found)) return false;
  }
  path_.pop_back();
  std::vector<Tag> repeated;
  std::vector<Tag> unknown;
  for (auto tag = found.begin(); tag != found.end(); ++tag) {
    const auto is_same = [&](const Tag& other) { return other.field == tag->field; };
    if (tag->field == nullptr) {
      unknown.push_back(*tag);
    } else if (std::any_of(found.begin(), tag, is_same)) {
      repeated.push_back(*tag);
    } else if (!tagged(*tag)) {
      return false;
    }
  }
  unknown_tags(unknown);
  return repeated_tags(repeated);
}

bool MessagePrinter::read_tag(std::uint16_t index, ByteReader& in, std::vector<Tag>& into) {
  const ByteReader start = in;
  const auto number = in.uvarint();
  const auto size = number ? in.uvarint() : std::nullopt;
  if (!size) return fail(start, "the number or the size of a tagged field is missing");
  const std::uint64_t position = in.position();
  const auto value = in.take(*size);
  if (!value) return fail(start, fmt::format("tag {} has {} bytes, {} are left", *number, *size, in.left()));
  const auto fields = kSchemaTable.fields_of(index);
  const auto known = std::ranges::find_if(fields, [&](const SchemaField& field) {
    return field.is_tagged() && std::cmp_equal(field.tag, *number);
  });
  const bool is_known = known != fields.end();
  if (is_known && !known->versions.contains(version_))
    return fail(start, fmt::format("tag {} is {}, which this version does not have", *number,
                                   kSchemaTable.name_of(*known)));
  into.push_back({*number, is_known ? &*known : nullptr, ByteReader(*value, position)});
  return true;
}

bool MessagePrinter::tagged(const Tag& tag) {
  ByteReader in = tag.value;
  if (!named(*tag.field, in)) return false;
  if (in.left() == 0) return true;
  path_.push_back({kSchemaTable.name_of(*tag.field), kNoIndex});
  return fail(in, fmt::format("the tagged field is {} bytes longer than its value", in.left()));
}

void MessagePrinter::unknown_tags(const std::vector<Tag>& tags) {
  if (tags.empty()) return;
  json_.key("unknownTags");
  json_.begin_array();
  for (const Tag& tag : tags) {
    json_.begin_object();
    json_.field("tag", tag.number);
    json_.key("value");
    json_.bytes(tag.value.rest());
    json_.end_object();
  }
  json_.end_array();
}

bool MessagePrinter::repeated_tags(const std::vector<Tag>& tags) {
  if (tags.empty()) return true;
  json_.key("repeatedTags");
  json_.begin_array();
  for (const Tag& tag : tags) {
    json_.begin_object();
    if (!tagged(tag)) return false;
    json_.end_object();
  }
  json_.end_array();
  return true;
}

}  // namespace milena::wire
