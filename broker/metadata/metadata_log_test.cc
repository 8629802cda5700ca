#include "broker/metadata/metadata_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/mem_fs.h"
#include "broker/node_settings.h"
#include "controller/raft/quorum_state.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using controller::FeatureLevels;
using protocol::Offset;

constexpr std::string_view kVoterOfKafka =
    "T5gBaouWTnqLNAPWxhGCzA";  // the directory id in its 0-0.checkpoint
const std::string kHome = "/data";
const std::string kPartition = kHome + "/__cluster_metadata-0";

class MetadataLogTest : public testing::Test {
 protected:
  MetadataLogTest() {
    disk_.make_directories(kPartition).value();
    write(kHome + "/meta.properties",
          "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=1\ndirectory.id=" +
              std::string(kVoterOfKafka) + "\n");
    write(kPartition + "/partition.metadata", "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ");
  }

  // A file that Apache Kafka wrote.
  void copy_from_kafka(const std::string& name, const std::string& path) {
    std::ifstream in("controller/testdata/kafka-4.3.1/" + name, std::ios::binary);
    ASSERT_TRUE(in) << name;
    write(path, std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()));
  }
  void write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(replace_file(disk_, path, as_bytes(content)));
  }

  // Ends what was open like a killed process, and opens it again; the sentence why it cannot, or none.
  std::string open() {
    metadata_.reset();
    home_.reset();
    disk_.crash(MemFs::Loss::kNothing);
    lines_.clear();
    home_ = *storage::LogDirectory::open(disk_, kHome);
    auto store = MetadataStore::open(disk_, *home_, std::make_shared<storage::LogConfig>(), clock_.wall_ms());
    if (!store) return store.error();
    MetadataLog::Options options;
    options.self.key = {1, home_->meta_properties()->directory_id};
    options.controller.node_id = 1;
    options.controller.supported_features = supported_features();
    options.bootstrap = controller::default_bootstrap_features(supported_features());
    auto opened = MetadataLog::open(std::move(options), *std::move(store), clock_, rng_, log_);
    if (!opened) return opened.error();
    metadata_ = *std::move(opened);
    return "";
  }
  const controller::MetadataImage& image() {
    image_ = metadata_->image();
    return *image_;
  }
  void append(std::string_view feature, controller::FeatureLevel level) {
    metadata_->submit({.decide =
                           [&](controller::Controller&, std::int64_t) {
                             return MetadataLog::Records{{.body = protocol::FeatureLevelRecord{
                                                              .name = feature, .feature_level = level}}};
                           },
                       .done = [](const Status& done) { ASSERT_TRUE(done); }});
  }
  controller::QuorumState quorum_state() {
    return controller::decode_quorum_state(*read_file(disk_, kPartition + "/quorum-state")).value();
  }

  // A live segment ends in zeros.
  static std::vector<std::byte> without_padding(std::vector<std::byte> segment) {
    while (!segment.empty() && segment.back() == std::byte{0}) segment.pop_back();
    return segment;
  }
  static void keep(void* context, LogLevel, std::string_view line) {
    static_cast<MetadataLogTest*>(context)->lines_.emplace_back(line);
  }

  MemFs disk_;
  ManualClock clock_;
  SeededRng rng_{1};
  std::vector<std::string> lines_;
  Logger log_{LogLevel::kWarn, &keep, this};
  std::unique_ptr<storage::LogDirectory> home_;
  std::unique_ptr<MetadataLog> metadata_;
  controller::MetadataImagePtr image_;
};

const FeatureLevels kOfKafka431{{"eligible.leader.replicas.version", 1},
                                {"group.version", 1},
                                {"metadata.version", 30},
                                {"share.version", 1},
                                {"streams.version", 1},
                                {"transaction.version", 2}};

TEST_F(MetadataLogTest, ANewDirectoryBeginsWithTheDefaultsOfThisNode) {
  ASSERT_EQ(open(), "");
  EXPECT_EQ(image().features, controller::default_bootstrap_features(supported_features()));
  EXPECT_EQ(metadata_->kraft_version(), 1);
  EXPECT_TRUE(quorum_state().current_voters.empty());
  EXPECT_TRUE(lines_.empty());
}

TEST_F(MetadataLogTest, WhatKafkaFormattedIsWhatTheClusterBeginsWith) {
  copy_from_kafka("bootstrap.checkpoint", kHome + "/bootstrap.checkpoint");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(image().features, kOfKafka431);
  ASSERT_EQ(image().scram.size(), 1u);
  EXPECT_TRUE(image().scram.contains(controller::ScramKey{.mechanism = 1, .user = "alice"}));
  EXPECT_EQ(metadata_->kraft_version(), 0);
  EXPECT_EQ(quorum_state().current_voters,
            std::vector<protocol::BrokerId>{1});  // configuration names the voters
  ASSERT_EQ(open(), "");
  EXPECT_EQ(image().features, kOfKafka431);
  EXPECT_EQ(image().scram.size(), 1u);
  EXPECT_EQ(quorum_state().current_voters, std::vector<protocol::BrokerId>{1});
}

TEST_F(MetadataLogTest, TheVotersOfADynamicQuorumGetIntoTheLog) {
  const std::string checkpoint = "00000000000000000000-0000000000.checkpoint";
  copy_from_kafka("bootstrap.checkpoint", kHome + "/bootstrap.checkpoint");
  copy_from_kafka(checkpoint, kPartition + "/" + checkpoint);
  ASSERT_EQ(open(), "");
  EXPECT_EQ(image().features, kOfKafka431);
  EXPECT_TRUE(quorum_state().current_voters.empty());  // kraft.version 1
  disk_.remove(kPartition + "/" + checkpoint).value();
  ASSERT_EQ(open(), "");
  EXPECT_TRUE(quorum_state().current_voters.empty());
}

TEST_F(MetadataLogTest, AnotherVoterIsRefused) {
  const std::string checkpoint = "00000000000000000000-0000000000.checkpoint";
  copy_from_kafka(checkpoint, kPartition + "/" + checkpoint);
  write(kHome + "/meta.properties",
        "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=1\ndirectory.id=SfFZHzUDQWmVG2yQXZ1OWQ\n");
  EXPECT_NE(open(), "");
}

TEST_F(MetadataLogTest, FeaturesThatOnlyAddGroupsAreNamedInOneWarning) {
  copy_from_kafka("00000000000000000000.log", kPartition + "/00000000000000000000.log");
  ASSERT_EQ(open(), "");
  EXPECT_EQ(image().feature("share.version"), 1);
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_NE(lines_[0].find("share.version"), std::string::npos) << lines_[0];
  EXPECT_NE(lines_[0].find("streams.version"), std::string::npos) << lines_[0];
}

TEST_F(MetadataLogTest, AnUnknownLevelIsRefusedByNameAndNothingIsWritten) {
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
