#include "broker/metadata/quorum_driver.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "broker/metadata/testing/metadata_test_base.h"
#include "controller/records/metadata_batch.h"

namespace milena::broker {
namespace {

using protocol::Offset;
using Batch = QuorumDriver::Batch;

class QuorumDriverTest : public testing::MetadataTest {
 protected:
  ~QuorumDriverTest() override { quorum_.reset(); }

  void open_driver() {
    quorum_.reset();
    store_.reset();
    close();
    store_ = *open_store();
    const controller::Voter self{.key = {1, home_->meta_properties()->directory_id}};
    quorum_ = *QuorumDriver::open(self, {.kraft_version = 1, .voters = {self}}, *store_, clock_, log_);
  }
  Batch batch() {
    const std::vector<controller::MetadataRecord> records{{.body = protocol::NoOpRecord{}}};
    return *controller::encode_metadata_batch(
        records,
        {.base_offset = quorum_->end_offset(), .epoch = quorum_->epoch(), .timestamp_ms = clock_.wall_ms()});
  }
  Offset high_watermark() const { return quorum_->view().high_watermark; }

  std::unique_ptr<MetadataStore> store_;
  std::unique_ptr<QuorumDriver> quorum_;
};

TEST_F(QuorumDriverTest, TheFirstBatchOfItsEpochIsCommittedByTheStart) {
  open_driver();
  EXPECT_FALSE(quorum_->view().is_leader);
  const auto first = quorum_->start();
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 1u);
  EXPECT_TRUE(quorum_->view().is_leader);
  EXPECT_EQ(high_watermark(), quorum_->end_offset());
  EXPECT_EQ(store_->log().high_watermark(), quorum_->end_offset());
}

TEST_F(QuorumDriverTest, BatchesAreHandedOutOnceWhenTheyAreCommitted) {
  open_driver();
  ASSERT_TRUE(quorum_->start());
  const Offset before = high_watermark();
  const Batch one = batch();
  ASSERT_TRUE(quorum_->append(one));
  const Batch two = batch();
  ASSERT_TRUE(quorum_->append(two));
  EXPECT_EQ(high_watermark(), before) << "appended is not committed";
  EXPECT_EQ(quorum_->commit(), (std::vector<Batch>{one, two}));
  EXPECT_EQ(high_watermark(), before + 2);
  EXPECT_EQ(quorum_->commit(), std::vector<Batch>{});
}

TEST_F(QuorumDriverTest, ALeaderThatCannotWriteDownItsEpochAppendsNothing) {
  open_driver();
  disk_.fail({.call = "pwritev", .code = ENOSPC, .for_good = true, .path_part = "quorum-state"});
  EXPECT_FALSE(quorum_->start());
  EXPECT_EQ(quorum_->end_offset(), Offset(0));
}

TEST_F(QuorumDriverTest, AFailedSyncCommitsNothing) {
  open_driver();
  ASSERT_TRUE(quorum_->start());
  const Offset before = high_watermark();
  ASSERT_TRUE(quorum_->append(batch()));
  disk_.fail({.call = "fdatasync", .code = EIO, .for_good = true, .path_part = "__cluster_metadata-0"});
  EXPECT_FALSE(quorum_->commit());
  EXPECT_FALSE(quorum_->is_writable());
  EXPECT_EQ(high_watermark(), before);
  EXPECT_EQ(store_->log().high_watermark(), before);
  EXPECT_FALSE(quorum_->commit()) << "what is not durable stays uncommitted";
  EXPECT_EQ(lines_with("cannot be written"), 1);
}

TEST_F(QuorumDriverTest, EveryStartLeadsAnEpochOfItsOwn) {
  open_driver();
  ASSERT_TRUE(quorum_->start());
  const auto epoch = quorum_->epoch();
  open_driver();
  ASSERT_TRUE(quorum_->start());
  EXPECT_GT(quorum_->epoch(), epoch);
}

}  // namespace
}  // namespace milena::broker
