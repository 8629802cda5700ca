#include "broker/metadata/metadata_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/async/thread_pool.h"
#include "broker/metadata/testing/metadata_test_base.h"

namespace milena::broker {
namespace {

using testing::HeldPool;

TEST(MetadataThread, WithoutAThreadAJobRunsWhereItIsPosted) {
  MetadataThread thread;
  std::thread::id ran_on;
  thread.post([&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(MetadataThread, AJobThatAJobPostsRunsAfterIt) {
  MetadataThread thread;
  std::vector<int> order;
  thread.post([&] {
    thread.post([&] { order.push_back(2); });
    order.push_back(1);
  });
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(MetadataThread, AThreadTakesWhatWasPostedInOrder) {
  MetadataThread thread;
  auto pool = std::make_unique<HeldPool>();
  HeldPool& held = *pool;
  thread.start(std::move(pool));
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) thread.post([&, i] { order.push_back(i); });
  EXPECT_TRUE(order.empty());
  held.run();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  thread.post([&] { order.push_back(3); });
  thread.stop();
  EXPECT_EQ(order.size(), 4u) << "what was posted runs before the end";
  thread.post([&] { order.push_back(4); });
  EXPECT_EQ(order.size(), 5u);
}

TEST(MetadataThread, NoTwoJobsRunAtOnceEvenAtTheEnd) {
  constexpr int kThreads = 4, kEach = 500;
  MetadataThread thread;
  thread.start(std::make_unique<ThreadPool>("metadata", 1, 1));
  std::atomic<int> inside = 0, together = 0, ran = 0;
  {
    std::vector<std::jthread> posters;
    for (int t = 0; t < kThreads; ++t) {
      posters.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          thread.post([&] {
            if (inside.fetch_add(1) != 0) ++together;
            ++ran;
            inside.fetch_sub(1);
          });
        }
      });
    }
    thread.stop();
  }
  EXPECT_EQ(together, 0);
  EXPECT_EQ(ran, kThreads * kEach);
}

}  // namespace
}  // namespace milena::broker
