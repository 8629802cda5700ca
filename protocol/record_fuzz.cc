// Any bytes as a record. The first line of the input names the message and its version, `PartitionRecord 2`;
// the rest is decoded. The same promises as in request_fuzz.cc.
#include <charconv>

#include "protocol/message_table.h"
#include "protocol/testing/check_stable.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace milena;
  using namespace milena::protocol;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t space = input.find(' '), line = input.find('\n');
  if (space == std::string_view::npos || line == std::string_view::npos || space > line) return 0;
  const MessageEntry* entry = find_message(input.substr(0, space));
  int version = -1;
  std::from_chars(input.data() + space + 1, input.data() + line, version);
  if (entry == nullptr || !entry->info.has_version(version)) return 0;
  check_stable(*entry, as_bytes(input.substr(line + 1)), version);
  return 0;
}
