#include "broker/metadata/active_controller.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>

#include "base/async/thread_pool.h"
#include "broker/metadata/testing/metadata_test_base.h"

namespace milena::broker {
namespace {

using protocol::Offset;
using testing::HeldPool;

class ActiveControllerTest : public testing::MetadataTest {
 protected:
  // From here on messages wait until run().
  void hold() {
    auto pool = std::make_unique<HeldPool>();
    pool_ = pool.get();
    metadata_->start(std::move(pool), [this](const auto&, const auto& after, const auto& changes) {
      for (const auto& [id, partitions] : changes.topics) {
        if (const auto* topic = after->topic(id)) told_.push_back(topic->name);
      }
      // Whoever is told of a change does not find it in the published image yet.
      published_early_ = published_early_ || image() == after;
    });
  }
  void run() { pool_->run(); }
  Offset high_watermark() const { return metadata_->quorum().view().high_watermark; }
  Offset published_end() const { return image()->provenance.offset + 1; }
  void fail_syncs() {
    disk_.fail({.call = "fdatasync", .code = EIO, .for_good = true, .path_part = "__cluster_metadata-0"});
  }

  HeldPool* pool_ = nullptr;
  std::vector<std::string> told_;
  bool published_early_ = false;
};

TEST_F(ActiveControllerTest, AnAnswerLeavesWhenItsRecordsAreCommittedAndPublished) {
  open_with_broker();
  hold();
  const auto orders = create("orders");
  EXPECT_FALSE(orders->outcome);
  EXPECT_FALSE(has_topic("orders"));
  run();
  EXPECT_TRUE(is_created(orders));
  EXPECT_TRUE(has_topic("orders"));
  EXPECT_EQ(told_, std::vector<std::string>{"orders"});
  EXPECT_FALSE(published_early_);
  EXPECT_EQ(published_end(), high_watermark());
  open_with_broker(MemFs::Loss::kUnsynced);
  EXPECT_TRUE(has_topic("orders"));
}

TEST_F(ActiveControllerTest, MessagesThatWaitAreCommittedByOneSync) {
  open_with_broker();
  hold();
  std::vector<std::shared_ptr<Creation>> creations;
  for (const auto* name : {"a", "b", "c"}) creations.push_back(create(name));
  const auto again = create("a");  // sees what the first has decided
  disk_.fail({.call = "fdatasync", .nth = 2, .code = EIO, .path_part = "00000000000000000000.log"});
  run();
  for (const auto& creation : creations) EXPECT_TRUE(is_created(creation));
  ASSERT_TRUE(again->outcome && *again->outcome);
  EXPECT_EQ(**again->outcome, ErrorCode::kTopicAlreadyExists);
  EXPECT_EQ(told_, (std::vector<std::string>{"a", "b", "c"}));
  const auto later = create("later");
  run();
  EXPECT_TRUE(is_unwritten(later)) << "the second sync was to fail";
}

TEST_F(ActiveControllerTest, NothingIsPublishedAboveTheHighWatermark) {
  open_with_broker();
  hold();
  const auto before = image();
  const Offset committed = high_watermark();
  fail_syncs();
  const auto orders = create("orders");
  run();
  EXPECT_TRUE(is_unwritten(orders));
  EXPECT_EQ(image(), before);
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(high_watermark(), committed);
  EXPECT_GT(metadata_->quorum().end_offset(), committed) << "the records are in the log, and not committed";
  open_with_broker(MemFs::Loss::kUnsynced);
  EXPECT_FALSE(has_topic("orders"));
}

TEST_F(ActiveControllerTest, AnAnswerWithoutRecordsWaitsForWhatItWasDecidedOn) {
  open_with_broker();
  hold();
  fail_syncs();
  const auto orders = create("orders");
  const auto again = create("orders");  // TOPIC_ALREADY_EXISTS, by a topic that is not committed
  run();
  EXPECT_TRUE(is_unwritten(orders));
  EXPECT_TRUE(is_unwritten(again));
}

TEST_F(ActiveControllerTest, WhatAFullDiskDoesNotTakeIsRefusedAloneAndTheLogStaysWhole) {
  open_with_broker();
  hold();
  const auto first = create("first");
  const auto second = create("second");
  const auto third = create("third");
  // A batch is one write; the disk has no room for the second one.
  disk_.fail({.call = "pwritev", .nth = 2, .code = ENOSPC, .path_part = "00000000000000000000.log"});
  run();
  EXPECT_TRUE(is_created(first));
  EXPECT_TRUE(is_unwritten(second));
  EXPECT_TRUE(is_created(third));
  EXPECT_EQ(told_, (std::vector<std::string>{"first", "third"}));
  EXPECT_EQ(lines_with("cannot be written"), 1);
  EXPECT_EQ(lines_with("can be written again"), 1);
  open_with_broker();
  EXPECT_TRUE(has_topic("first"));
  EXPECT_FALSE(has_topic("second"));
  EXPECT_TRUE(has_topic("third"));
}

TEST_F(ActiveControllerTest, WhatCouldNotBeSyncedOnAFullDiskIsPublishedWhenThereIsRoom) {
  segment_bytes_ = 1000;  // some changes begin a segment: their flush writes the indexes of the last one
  open_with_broker();
  hold();
  disk_.fail({.call = "pwritev", .code = ENOSPC, .for_good = true, .path_part = ".index"});
  std::vector<std::string> names;
  std::shared_ptr<Creation> last;
  do {
    names.push_back(fmt::format("topic-{}", names.size()));
    last = create(names.back());
    run();
  } while (is_created(last) && names.size() < 20);
  ASSERT_TRUE(is_unwritten(last));
  EXPECT_EQ(told_.size(), names.size() - 1);
  EXPECT_GT(metadata_->quorum().end_offset(), high_watermark()) << "its records are in the log";
  disk_.clear_faults();
  names.emplace_back("later");
  last = create("later");
  run();
  EXPECT_TRUE(is_created(last));
  EXPECT_EQ(told_, names) << "in the order of the log";
  EXPECT_EQ(published_end(), high_watermark());
  EXPECT_EQ(lines_with("cannot be written"), 1);
  EXPECT_EQ(lines_with("can be written again"), 1);
}

TEST_F(ActiveControllerTest, EveryMessageIsAnsweredOnceHoweverTheEndComes) {
  constexpr int kThreads = 4, kEach = 25;
  open_with_broker();
  metadata_->start(std::make_unique<ThreadPool>("metadata", 1, 1),
                   [](const auto&, const auto&, const auto&) {});
  std::vector<std::vector<std::shared_ptr<Creation>>> creations(kThreads);
  {
    std::vector<std::jthread> senders;
    for (int t = 0; t < kThreads; ++t) {
      senders.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i)
          creations[static_cast<std::size_t>(t)].push_back(create(fmt::format("topic-{}-{}", t, i)));
      });
    }
    metadata_->stop();
  }
  const auto check = [&](const std::vector<std::shared_ptr<Creation>>& of_thread, int t) {
    for (std::size_t i = 0; i < of_thread.size(); ++i) {
      EXPECT_EQ(of_thread[i]->answers, 1);
      EXPECT_TRUE(is_created(of_thread[i]));
      EXPECT_TRUE(has_topic(fmt::format("topic-{}-{}", t, i)));
    }
  };
  for (int t = 0; t < kThreads; ++t) check(creations[static_cast<std::size_t>(t)], t);
  open_with_broker();
  for (int t = 0; t < kThreads; ++t) check(creations[static_cast<std::size_t>(t)], t);
}

}  // namespace
}  // namespace milena::broker
