#include "broker/metadata/cluster_metadata.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "broker/metadata/testing/metadata_test_base.h"
#include "controller/raft/quorum_state.h"
#include "controller/records/metadata_batch.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using controller::FeatureLevels;

class ClusterMetadataTest : public testing::MetadataTest {
 protected:
  // A file that Apache Kafka wrote.
  void copy_from_kafka(const std::string& name, const std::string& path) {
    std::ifstream in("controller/testdata/kafka-4.3.1/" + name, std::ios::binary);
    ASSERT_TRUE(in) << name;
    write(path, std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()));
  }
  // As a newer version of this node would write it.
  void append(std::string_view feature, controller::FeatureLevel level) {
    close();
    auto store = open_store();
    ASSERT_TRUE(store);
    const std::vector<controller::MetadataRecord> records{
        {.body = protocol::FeatureLevelRecord{.name = feature, .feature_level = level}}};
    auto batch = controller::encode_metadata_batch(
        records, {.base_offset = (*store)->end_offset(), .epoch = (*store)->last_epoch(), .timestamp_ms = 0});
    ASSERT_TRUE(batch);
    ASSERT_TRUE((*store)->append(*batch, (*store)->last_epoch(), clock_.wall_ms()));
    ASSERT_TRUE((*store)->sync());
  }
  controller::QuorumState quorum_state() {
    return controller::decode_quorum_state(*read_file(disk_, kPartition + "/quorum-state")).value();
  }
  // A live segment ends in zeros.
  static std::vector<std::byte> without_padding(std::vector<std::byte> segment) {
    while (!segment.empty() && segment.back() == std::byte{0}) segment.pop_back();
    return segment;
  }
};

const FeatureLevels kOfKafka431{{"eligible.leader.replicas.version", 1},
                                {"group.version", 1},
                                {"metadata.version", 30},
                                {"share.version", 1},
                                {"streams.version", 1},
                                {"transaction.version", 2}};

TEST_F(ClusterMetadataTest, ANewDirectoryBeginsWithTheDefaultsOfThisNode) {
  ASSERT_EQ(open(), "");
  EXPECT_EQ(image()->features, controller::default_bootstrap_features(supported_features()));
  EXPECT_EQ(metadata_->quorum().kraft_version(), 1);
  EXPECT_TRUE(quorum_state().current_voters.empty());
  EXPECT_TRUE(lines_.empty());
}

TEST_F(ClusterMetadataTest, WhatKafkaFormattedIsWhatTheClusterBeginsWith) {
  copy_from_kafka("bootstrap.checkpoint", kHome + "/bootstrap.checkpoint");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(image()->features, kOfKafka431);
  ASSERT_EQ(image()->scram.size(), 1u);
  EXPECT_TRUE(image()->scram.contains(controller::ScramKey{.mechanism = 1, .user = "alice"}));
  EXPECT_EQ(metadata_->quorum().kraft_version(), 0);
  EXPECT_EQ(quorum_state().current_voters,
            std::vector<protocol::BrokerId>{1});  // configuration names the voters
  ASSERT_EQ(open(), "");
  EXPECT_EQ(image()->features, kOfKafka431);
  EXPECT_EQ(image()->scram.size(), 1u);
  EXPECT_EQ(quorum_state().current_voters, std::vector<protocol::BrokerId>{1});
}

TEST_F(ClusterMetadataTest, TheVotersOfADynamicQuorumGetIntoTheLog) {
  const std::string checkpoint = "00000000000000000000-0000000000.checkpoint";
  copy_from_kafka("bootstrap.checkpoint", kHome + "/bootstrap.checkpoint");
  copy_from_kafka(checkpoint, kPartition + "/" + checkpoint);
  ASSERT_EQ(open(), "");
  EXPECT_EQ(image()->features, kOfKafka431);
  EXPECT_TRUE(quorum_state().current_voters.empty());  // kraft.version 1
  disk_.remove(kPartition + "/" + checkpoint).value();
  ASSERT_EQ(open(), "");
  EXPECT_TRUE(quorum_state().current_voters.empty());
}

TEST_F(ClusterMetadataTest, AnotherVoterIsRefused) {
  const std::string checkpoint = "00000000000000000000-0000000000.checkpoint";
  copy_from_kafka(checkpoint, kPartition + "/" + checkpoint);
  write(kHome + "/meta.properties",
        "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=1\ndirectory.id=SfFZHzUDQWmVG2yQXZ1OWQ\n");
  EXPECT_NE(open(), "");
}

TEST_F(ClusterMetadataTest, FeaturesThatOnlyAddGroupsAreNamedInOneWarning) {
  copy_from_kafka("00000000000000000000.log", kPartition + "/00000000000000000000.log");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(image()->feature("share.version"), 1);
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_NE(lines_[0].find("share.version"), std::string::npos) << lines_[0];
  EXPECT_NE(lines_[0].find("streams.version"), std::string::npos) << lines_[0];
}

TEST_F(ClusterMetadataTest, AnUnknownLevelIsRefusedByNameAndNothingIsWritten) {
  for (const auto& [feature, level] :
       FeatureLevels{{"later.version", 1}, {"group.version", 2}, {"metadata.version", 33}}) {
    disk_.remove_tree(kPartition).value();
    disk_.make_directories(kPartition).value();
    write(kPartition + "/partition.metadata", "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ");
    ASSERT_EQ(open(), "");
    append(feature, level);
    const auto log = without_padding(*read_file(disk_, kPartition + "/00000000000000000000.log"));
    const auto voted = *read_file(disk_, kPartition + "/quorum-state");
    const std::string refusal = open();
    EXPECT_NE(refusal.find(feature), std::string::npos) << refusal;
    EXPECT_NE(refusal.find(std::to_string(level)), std::string::npos) << refusal;
    EXPECT_EQ(*read_file(disk_, kPartition + "/quorum-state"), voted);
    EXPECT_EQ(without_padding(*read_file(disk_, kPartition + "/00000000000000000000.log")), log);
  }
}

}  // namespace
}  // namespace milena::broker
