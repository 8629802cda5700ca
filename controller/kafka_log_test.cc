// Reads a metadata directory that Apache Kafka wrote (testdata/kafka-4.3.1).
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "controller/image/metadata_loader.h"
#include "controller/raft/raft_core.h"
#include "controller/snapshot/metadata_snapshot.h"

namespace milena::controller {
namespace {

std::vector<std::byte> file(const std::string& name) {
  std::ifstream in("controller/testdata/kafka-4.3.1/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const BytesView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

class KafkaLogTest : public ::testing::Test {
 protected:
  KafkaLogTest() {
    const std::vector<std::byte> log = file("00000000000000000000.log");
    protocol::BatchIterator batches(log);
    Arena arena;
    for (;;) {
      const auto view = batches.next();
      EXPECT_TRUE(view);
      if (!view || !*view) break;
      const auto batch = decode_metadata_batch(**view, arena);
      EXPECT_TRUE(batch) << batch.error().why;
      quorum_.observe(*batch);
      const auto update = loader_.load(*batch);
      EXPECT_TRUE(update) << update.error().why;
      images_[loader_.next_offset()] = loader_.image();
    }
  }
  const MetadataImage& image() const { return *loader_.image(); }

  MetadataLoader loader_;
  QuorumConfig quorum_;
  std::map<Offset, MetadataImagePtr> images_;  // by end offset
};

TEST_F(KafkaLogTest, EveryRecordIsUnderstood) {
  EXPECT_EQ(loader_.next_offset(), Offset(63));
  EXPECT_EQ(image().metadata_version(), 30);
  EXPECT_EQ(image().feature("transaction.version"), 2);
  EXPECT_EQ(image().topic("gone"), nullptr);
  ASSERT_NE(image().topic("orders"), nullptr);
  EXPECT_EQ(image().topic("orders")->partitions.size(), 4u);
  EXPECT_EQ(*image().config(ConfigResourceType::kTopic, "orders"),
            (ConfigMap{{"cleanup.policy", "compact"}, {"retention.ms", "70000"}}));
  EXPECT_EQ(image().config(ConfigResourceType::kBroker, "")->at("log.cleaner.threads"), "2");
  EXPECT_EQ(image().client_quotas.size(), 2u);
  EXPECT_EQ(image().scram.size(), 2u);
  EXPECT_EQ(image().acls.size(), 2u);
  EXPECT_GE(image().next_producer_id, ProducerId(1'000));
  EXPECT_TRUE(image().broker(1)->fenced);  // it was shut down
  const Partition& partition = *image().topic("orders")->partition(0);
  EXPECT_FALSE(partition.has_leader());
  EXPECT_EQ(partition.elr().size(), 1u);
}

// K3 across implementations: Kafka's snapshots are the images that replaying Kafka's log gives.
TEST_F(KafkaLogTest, KafkasSnapshotsEqualOurImages) {
  for (const char* name :
       {"00000000000000000046-0000000002.checkpoint", "00000000000000000055-0000000002.checkpoint"}) {
    const SnapshotId id = *SnapshotId::parse(name);
    const auto snapshot = read_snapshot(file(name), id);
    ASSERT_TRUE(snapshot) << snapshot.error().why;
    ASSERT_TRUE(images_.contains(id.end_offset));
    EXPECT_EQ(snapshot->image, *images_[id.end_offset]) << name;
    EXPECT_EQ(snapshot->quorum, quorum_);
  }
}

TEST_F(KafkaLogTest, AFormattedDirectoryNamesFeaturesAndVoters) {
  const auto snapshot = read_snapshot(file("00000000000000000000-0000000000.checkpoint"), {});
  ASSERT_TRUE(snapshot) << snapshot.error().why;
  EXPECT_EQ(snapshot->quorum, quorum_);
}

TEST_F(KafkaLogTest, ItsOnlyVoterLeadsTheNextEpochHere) {
  const std::vector<std::byte> content = file("quorum-state");
  const auto state = decode_quorum_state(content);
  ASSERT_TRUE(state);
  EXPECT_EQ(*state, (QuorumState{.leader_id = 1, .leader_epoch = 2}));
  ASSERT_EQ(quorum_.voters.size(), 1u);
  auto core = RaftCore::open(quorum_.voters[0], quorum_, *state,
                             {.offset = loader_.next_offset(), .last_epoch = image().provenance.epoch});
  ASSERT_TRUE(core);
  core->start(0);
  EXPECT_EQ(core->epoch(), LeaderEpoch(3));
}

}  // namespace
}  // namespace milena::controller
