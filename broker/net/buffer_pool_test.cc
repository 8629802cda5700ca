#include "broker/net/buffer_pool.h"

#include <gtest/gtest.h>

#include <vector>

namespace milena::broker {
namespace {

TEST(BufferPool, GivesAtLeastWhatIsAskedFor) {
  BufferPool pool(1 << 20);
  for (std::size_t size : {1uz, 4096uz, 4097uz, 65'536uz, 1'000'001uz}) {
    const Buffer buffer = pool.take(size);
    ASSERT_TRUE(buffer);
    EXPECT_GE(buffer.capacity(), size);
    EXPECT_LT(buffer.capacity(), 2 * std::max(size, 4096uz));
  }
}

TEST(BufferPool, ReusesABufferOfTheSameSize) {
  BufferPool pool(1 << 20);
  const std::byte* first = nullptr;
  {
    const Buffer buffer = pool.take(10'000);
    first = buffer.data();
  }
  EXPECT_EQ(pool.kept(), 16'384u);
  const Buffer again = pool.take(9'000);
  EXPECT_EQ(again.data(), first);
  EXPECT_EQ(pool.kept(), 0u);
}

TEST(BufferPool, KeepsNoMoreThanItMay) {
  BufferPool pool(64 * 1024);
  {
    std::vector<Buffer> buffers;
    for (int i = 0; i < 20; ++i) buffers.push_back(pool.take(16 * 1024));
    buffers.push_back(pool.take(1 << 20));
  }
  EXPECT_EQ(pool.kept(), 64u * 1024);
}

TEST(BufferPool, TrimmingGivesBackTheLargestBuffersFirst) {
  BufferPool pool(1 << 20);
  {
    const Buffer large = pool.take(256 * 1024);
    const Buffer small = pool.take(4096);
  }
  pool.trim(300 * 1024);
  EXPECT_EQ(pool.kept(), 260u * 1024);
  pool.trim(4096);
  EXPECT_EQ(pool.kept(), 4096u);
  pool.trim(0);
  EXPECT_EQ(pool.kept(), 0u);
}

TEST(BufferPool, SaysSoWhenASizeIsBeyondAllBounds) {
  BufferPool pool(0);
  EXPECT_FALSE(pool.take(1uz << 40));
}

}  // namespace
}  // namespace milena::broker
