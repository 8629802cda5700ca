#include "broker/metadata/image_publisher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "broker/metadata/testing/metadata_test_base.h"
#include "controller/snapshot/snapshot_id.h"

namespace milena::broker {
namespace {

using controller::SnapshotId;

class ImagePublisherTest : public testing::MetadataTest {
 protected:
  ImagePublisherTest() { snapshots_.max_bytes = 1; }  // every change is worth a snapshot

  std::vector<SnapshotId> snapshots() {
    std::vector<SnapshotId> found;
    for (const auto& entry : disk_.list(kPartition).value()) {
      if (const auto id = SnapshotId::parse(entry.name)) found.push_back(*id);
    }
    return found;
  }
};

TEST_F(ImagePublisherTest, ANodeBeginsWithItsNewestSnapshotAndTheLogBehindIt) {
  open_with_broker();
  ASSERT_TRUE(is_created(create("in-snapshot")));
  ASSERT_EQ(snapshots().size(), 1u) << "older ones are dropped";
  EXPECT_EQ(snapshots()[0].end_offset, image()->provenance.offset + 1);
  EXPECT_EQ(metadata_->storage_log().log_start_offset(), snapshots()[0].end_offset);
  const auto in_snapshot = image();
  snapshots_.max_bytes = 1 << 30;
  open_with_broker(MemFs::Loss::kUnsynced);
  EXPECT_TRUE(has_topic("in-snapshot"));
  EXPECT_EQ(image()->topic("in-snapshot")->id, in_snapshot->topic("in-snapshot")->id);
  ASSERT_TRUE(is_created(create("in-log")));
  open_with_broker(MemFs::Loss::kUnsynced);
  EXPECT_TRUE(has_topic("in-snapshot"));
  EXPECT_TRUE(has_topic("in-log"));
  EXPECT_EQ(metadata_->quorum().view().voters.size(), 1u);
  EXPECT_EQ(metadata_->quorum().kraft_version(), 1) << "the snapshot tells of the quorum";
}

TEST_F(ImagePublisherTest, WithoutRoomForASnapshotChangesGoOnAndTheLogIsKept) {
  open_with_broker();
  const auto before = snapshots();
  const auto start = metadata_->storage_log().log_start_offset();
  disk_.fail({.call = "pwritev", .code = ENOSPC, .for_good = true, .path_part = ".checkpoint.part"});
  EXPECT_TRUE(is_created(create("first")));
  EXPECT_EQ(lines_with("no metadata snapshot could be written"), 1);
  EXPECT_TRUE(is_created(create("second")));
  EXPECT_EQ(snapshots(), before);
  EXPECT_EQ(metadata_->storage_log().log_start_offset(), start);
  open_with_broker();
  EXPECT_TRUE(has_topic("first"));
  EXPECT_TRUE(has_topic("second"));
  disk_.clear_faults();
  EXPECT_TRUE(is_created(create("third")));
  ASSERT_EQ(snapshots().size(), 1u);
  EXPECT_EQ(snapshots()[0].end_offset, image()->provenance.offset + 1);
}

TEST_F(ImagePublisherTest, ASnapshotThatPowerDidNotLetFinishIsNotBegunWith) {
  open_with_broker();
  // The directory entry of the snapshot's final name never reaches the disk.
  disk_.fail({.call = "rename", .code = EIO, .path_part = ".checkpoint.part"});
  EXPECT_TRUE(is_created(create("orders")));
  EXPECT_EQ(lines_with("no metadata snapshot could be written"), 1);
  EXPECT_TRUE(is_unwritten(create("refused"))) << "the log directory has failed";
  open_with_broker(MemFs::Loss::kUnsynced);
  EXPECT_TRUE(has_topic("orders"));
  EXPECT_FALSE(has_topic("refused"));
}

TEST_F(ImagePublisherTest, SnapshotsAreDueByBytesOrByTime) {
  snapshots_ = {.max_bytes = 1 << 30, .max_interval_ms = 1000};
  open_with_broker();
  EXPECT_TRUE(is_created(create("early")));
  EXPECT_TRUE(snapshots().empty());
  clock_.advance(Instant{1001});
  EXPECT_TRUE(is_created(create("late")));
  EXPECT_EQ(snapshots().size(), 1u);
}

}  // namespace
}  // namespace milena::broker
