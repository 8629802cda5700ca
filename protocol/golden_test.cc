// Bytes that Kafka 4.4.0's own classes wrote (compat-tests/golden): two random instances of every message at
// every version. Decoding and encoding them must give the same bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "protocol/hex.h"
#include "protocol/message_table.h"

namespace milena::protocol {
namespace {

TEST(Golden, KafkasBytesComeBackUnchanged) {
  std::ifstream file("protocol/golden/kafka_4_4_0.txt");
  ASSERT_TRUE(file);
  std::set<std::string> seen;
  Arena arena;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, hex;
    int version = -1;
    words >> name >> version >> hex;
    seen.insert(name + " " + std::to_string(version));
    SCOPED_TRACE(testing::Message() << name << " v" << version);
    const MessageEntry* entry = find_message(name);
    ASSERT_NE(entry, nullptr);
    const auto bytes = from_hex(hex);
    ASSERT_TRUE(bytes);
    arena.reset();
    BytesView input = *bytes;
    const auto again = entry->reencode(input, version, arena);
    ASSERT_TRUE(again) << again.error().why;
    EXPECT_TRUE(input.empty());
    EXPECT_EQ(to_hex(*again), hex);
  }
  std::set<std::string> missing;
  for (const MessageEntry& entry : message_table()) {
    for (int version = entry.info.min_version; version <= entry.info.max_version; ++version) {
      const std::string key = std::string(entry.info.name) + " " + std::to_string(version);
      if (!seen.contains(key)) missing.insert(key);
    }
  }
  EXPECT_EQ(missing, std::set<std::string>{});
}

}  // namespace
}  // namespace milena::protocol
