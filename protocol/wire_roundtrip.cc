// wire-roundtrip: reads lines `MESSAGE VERSION HEX`, writes for each the hex of the message decoded and
// encoded again, or `error: why`. MESSAGE is Kafka's name of it: FetchRequest, TopicRecord,
// OffsetCommitValue. The other half of the comparison with Kafka's own classes in compat-tests/golden.
#include <charconv>
#include <iostream>
#include <string>
#include <vector>

#include "protocol/hex.h"
#include "protocol/message_table.h"

namespace milena::protocol {
namespace {

std::string round_trip(std::string_view line, Arena& arena) {
  const std::size_t first = line.find(' '), second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return "error: expected MESSAGE VERSION HEX";
  const MessageEntry* entry = find_message(line.substr(0, first));
  if (entry == nullptr) return "error: unknown message";
  const std::string_view digits = line.substr(first + 1, second - first - 1);
  int version = 0;
  if (std::from_chars(digits.begin(), digits.end(), version).ptr != digits.end()) return "error: bad version";
  const auto bytes = from_hex(line.substr(second + 1));
  if (!bytes) return "error: bad hex";
  arena.reset();
  BytesView input = *bytes;
  const auto again = entry->reencode(input, version, arena);
  if (!again) return std::string("error: ") + again.error().why;
  if (!input.empty()) return "error: " + std::to_string(input.size()) + " bytes are left over";
  return to_hex(*again);
}

}  // namespace
}  // namespace milena::protocol

int main() {
  std::ios::sync_with_stdio(false);
  milena::Arena arena;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << milena::protocol::round_trip(line, arena) << '\n';
  return std::cout.flush() ? 0 : 1;
}
