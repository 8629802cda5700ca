// What the numbers in messages are called: TOPIC for a resource type of 2.
//
// Kafka's names. Immutable; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/schema_table.h"

namespace milena::wire {

struct EnumName {
  std::int64_t value;
  std::string_view name;
};

// Integer fields of one name that hold an enumeration.
struct EnumField {
  std::string_view field;           // as Kafka's JSON has it
  std::string_view message_part;    // only in messages whose name holds this; empty for all others
  std::span<const EnumName> names;  // empty for the keys of APIs
};

// Of several for one field the first that applies counts.
std::span<const EnumField> enum_fields();

// Null if the field is no enumeration.
const EnumField* find_enum(std::string_view message, std::string_view field);
// Empty for a number without a name.
std::string_view enum_name(const EnumField& of, std::int64_t value);

}  // namespace milena::wire
