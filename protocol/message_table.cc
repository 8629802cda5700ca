#include "protocol/message_table.h"

#include <algorithm>

namespace milena::protocol {

const MessageEntry* find_message(std::string_view name) {
  const auto table = message_table();
  const auto at =
      std::ranges::lower_bound(table, name, {}, [](const MessageEntry& entry) { return entry.info.name; });
  return at != table.end() && at->info.name == name ? &*at : nullptr;
}

}  // namespace milena::protocol
