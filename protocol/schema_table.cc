#include "protocol/schema_table.h"

#include <algorithm>

namespace milena::protocol {

const SchemaMessage* SchemaTable::find(std::string_view name) const {
  const auto at =
      std::ranges::lower_bound(messages, name, {}, [&](const auto& each) { return name_of(each); });
  return at != messages.end() && name_of(*at) == name ? &*at : nullptr;
}

const SchemaMessage* SchemaTable::find(MessageKind kind, std::int16_t key, RecordLog log) const {
  const auto at = std::ranges::find_if(messages, [&](const SchemaMessage& each) {
    return each.kind == kind && each.key == key && each.log == log;
  });
  return at != messages.end() ? &*at : nullptr;
}

}  // namespace milena::protocol
