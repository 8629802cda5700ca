#include "base/arena.h"

#include <gtest/gtest.h>

namespace milena {
namespace {

TEST(Arena, ArraysAreAlignedZeroedAndDisjoint) {
  Arena arena;
  auto chars = arena.array<char>(3);
  auto longs = arena.array<std::int64_t>(100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(longs.data()) % alignof(std::int64_t), 0u);
  for (auto v : longs) EXPECT_EQ(v, 0);
  chars[0] = 'x';
  longs[0] = -1;
  EXPECT_EQ(chars[0], 'x');
}

TEST(Arena, ResetKeepsTheLargestBlockSoThatASteadyStateAllocatesNothing) {
  Arena arena;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 100; ++i) arena.array<std::int64_t>(20);
    arena.reset();
  }
  const auto footprint = arena.footprint();
  for (int i = 0; i < 100; ++i) arena.array<std::int64_t>(20);
  EXPECT_EQ(arena.footprint(), footprint);
}

TEST(Arena, ResetGivesBackABlockThatIsTooLargeToKeep) {
  Arena arena;
  arena.array<char>(1 << 20);
  arena.reset(64 * 1024);
  EXPECT_EQ(arena.footprint(), 0u);
  EXPECT_EQ(arena.array<int>(1)[0], 0);
}

TEST(Arena, TextIsCopied) {
  Arena arena;
  std::string source = "orders";
  auto copy = arena.text(source);
  source[0] = 'X';
  EXPECT_EQ(copy, "orders");
}

}  // namespace
}  // namespace milena
