// What must hold for every message at every version, tried with random instances.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/rng.h"
#include "protocol/message_table.h"
#include "protocol/testing/random_message.h"

namespace milena::protocol {
namespace {

std::vector<std::byte> concatenate(std::initializer_list<BytesView> parts) {
  std::vector<std::byte> out;
  for (const BytesView part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// Runs the body for `rounds` random instances of every message and version.
template <class Body>
void for_each_instance(int rounds, Tags tags, Body&& body) {
  SeededRng rng(2024);
  Arena arena;
  for (const RandomMessage& random : random_messages()) {
    const MessageEntry* entry = find_message(random.info.name);
    ASSERT_NE(entry, nullptr);
    for (int version = random.info.min_version; version <= random.info.max_version; ++version) {
      SCOPED_TRACE(testing::Message() << random.info.name << " v" << version);
      for (int i = 0; i < rounds; ++i) {
        arena.reset();
        body(*entry, version, random.make(rng, version, tags, arena));
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(EveryMessage, ReadsBackWhatItWrote) {
  Arena arena;
  for_each_instance(20, Tags::kRandom, [&](const MessageEntry& entry, int version, BytesView bytes) {
    arena.reset();
    BytesView input = bytes;
    const auto again = entry.reencode(input, version, arena);
    ASSERT_TRUE(again) << again.error().why;
    ASSERT_TRUE(std::ranges::equal(*again, bytes));
    ASSERT_TRUE(input.empty());
  });
}

TEST(EveryMessage, IsRefusedWhenCutOffAnywhere) {
  Arena arena;
  for_each_instance(2, Tags::kRandom, [&](const MessageEntry& entry, int version, BytesView bytes) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      arena.reset();
      // A copy of its own, so that a sanitizer sees a read past the end.
      const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      BytesView input = cut;
      ASSERT_FALSE(entry.reencode(input, version, arena)) << size << " of " << bytes.size();
      ASSERT_EQ(input.size(), size);
    }
  });
}

TEST(EveryMessage, LeavesAloneWhatFollows) {
  Arena arena;
  const BytesView rest = as_bytes("rest");
  for_each_instance(2, Tags::kRandom, [&](const MessageEntry& entry, int version, BytesView bytes) {
    arena.reset();
    const auto longer = concatenate({bytes, rest});
    BytesView input = longer;
    ASSERT_TRUE(entry.reencode(input, version, arena));
    ASSERT_EQ(as_text(input), "rest");
  });
}

TEST(EveryMessage, SkipsUnknownTags) {
  Arena arena;
  const BytesView tags = as_bytes("\x02\xd2\x09\x03xyz\xd3\x09\x01!");  // tags 1234 and 1235
  for_each_instance(2, Tags::kPlain, [&](const MessageEntry& entry, int version, BytesView bytes) {
    if (!entry.info.flexible(version)) return;
    arena.reset();
    ASSERT_EQ(bytes.back(), std::byte{0});
    const auto tagged = concatenate({bytes.first(bytes.size() - 1), tags});
    BytesView input = tagged;
    const auto again = entry.reencode(input, version, arena);
    ASSERT_TRUE(again) << again.error().why;
    ASSERT_TRUE(std::ranges::equal(*again, bytes));
  });
}

// Random damage, biased to bytes that read as huge counts. Whatever comes out, memory stays in proportion.
TEST(EveryMessage, SpendsMemoryInProportionWhenDamaged) {
  SeededRng rng(7);
  for_each_instance(10, Tags::kRandom, [&](const MessageEntry& entry, int version, BytesView bytes) {
    std::vector<std::byte> damaged(bytes.begin(), bytes.end());
    for (std::uint64_t i = 0; !damaged.empty() && i <= rng.below(4); ++i) {
      damaged[rng.below(damaged.size())] = static_cast<std::byte>(rng.one_in(2) ? 0x7f : rng.next());
    }
    Arena arena;
    BytesView input = damaged;
    const auto again = entry.reencode(input, version, arena);
    // reencode also writes the message: at most the bytes that were read, and defaults of cut tags.
    // Blocks double in size, so at most half of what the arena took lies idle.
    ASSERT_LE(arena.footprint(), 2 * (kMaxExpansion + 2) * damaged.size() + 4096) << again.has_value();
  });
}

}  // namespace
}  // namespace milena::protocol
