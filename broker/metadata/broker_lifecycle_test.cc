#include "broker/metadata/broker_lifecycle.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/metadata/testing/fake_controller.h"
#include "broker/metadata/testing/metadata_test_base.h"

namespace milena::broker {
namespace {

using protocol::AssignReplicasToDirsRequest;
using protocol::AssignReplicasToDirsResponse;
using protocol::BrokerHeartbeatRequest;
using protocol::BrokerHeartbeatResponse;

const Uuid kFirst = Uuid::from_halves(1, 1), kSecond = Uuid::from_halves(1, 2);
const Uuid kTopic = Uuid::from_halves(2, 1);

struct PublishedAt final : MetadataSource {
  controller::MetadataImagePtr image() const override {
    auto image = std::make_shared<controller::MetadataImage>();
    image->provenance.offset = 41;
    return image;
  }
};

class ReportsTest : public ::testing::Test {
 protected:
  static void keep(void* context, LogLevel /*level*/, std::string_view line) {
    static_cast<ReportsTest*>(context)->lines_.emplace_back(line);
  }

  testing::FakeController controller_;
  PublishedAt published_;
  std::vector<std::string> lines_;
  Logger log_{LogLevel::kInfo, &keep, this};
  BrokerLifecycle lifecycle_{controller_, published_, 1, log_};
};

TEST_F(ReportsTest, AHeartbeatNamesFailedDirectoriesAndHowFarThisNodeHasPublished) {
  lifecycle_.report_failed({kFirst, kSecond});
  ASSERT_EQ(controller_.waiting(), 1u);
  const auto& heartbeat = controller_.oldest<BrokerHeartbeatRequest>();
  EXPECT_EQ(heartbeat.broker_id, protocol::BrokerId(1));
  EXPECT_EQ(heartbeat.current_metadata_offset, protocol::Offset(41));
  EXPECT_EQ(std::vector(heartbeat.offline_log_dirs.begin(), heartbeat.offline_log_dirs.end()),
            (std::vector<Uuid>{kFirst, kSecond}));
  EXPECT_FALSE(heartbeat.cordoned_log_dirs);
  controller_.answer(BrokerHeartbeatResponse{});
  EXPECT_TRUE(lines_.empty());
}

TEST_F(ReportsTest, CordonedDirectoriesAreAllOfThem) {
  lifecycle_.report_cordoned({});
  const auto& heartbeat = controller_.oldest<BrokerHeartbeatRequest>();
  ASSERT_TRUE(heartbeat.cordoned_log_dirs) << "none, and not unchanged";
  EXPECT_TRUE(heartbeat.cordoned_log_dirs->empty());
  EXPECT_TRUE(heartbeat.offline_log_dirs.empty());
  controller_.answer(BrokerHeartbeatResponse{});
}

TEST_F(ReportsTest, ReplicasAreAssignedByDirectoryAndTopic) {
  lifecycle_.assign({});
  EXPECT_EQ(controller_.waiting(), 0u);
  lifecycle_.assign({{.topic_id = kTopic, .partition = 0, .directory_id = kFirst},
                     {.topic_id = kTopic, .partition = 1, .directory_id = kSecond},
                     {.topic_id = kTopic, .partition = 2, .directory_id = kFirst}});
  const auto& request = controller_.oldest<AssignReplicasToDirsRequest>();
  ASSERT_EQ(request.directories.size(), 2u);
  EXPECT_EQ(request.directories[0].id, kFirst);
  ASSERT_EQ(request.directories[0].topics.size(), 1u);
  EXPECT_EQ(request.directories[0].topics[0].topic_id, kTopic);
  EXPECT_EQ(request.directories[0].topics[0].partitions.size(), 2u);
  EXPECT_EQ(request.directories[1].topics[0].partitions[0].partition_index, protocol::PartitionId(1));
  controller_.answer(AssignReplicasToDirsResponse{});
  EXPECT_TRUE(lines_.empty());
}

TEST_F(ReportsTest, WhatTheControllerRefusesIsWrittenToTheLog) {
  lifecycle_.report_failed({kFirst});
  controller_.answer(BrokerHeartbeatResponse{.error_code = ErrorCode::kStaleBrokerEpoch});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_NE(lines_[0].find("STALE_BROKER_EPOCH"), std::string::npos) << lines_[0];
  lifecycle_.assign({{.topic_id = kTopic, .partition = 0, .directory_id = kFirst}});
  controller_.answer(fail(ErrorCode::kKafkaStorageError, "the disk is full"));
  ASSERT_EQ(lines_.size(), 2u);
  EXPECT_NE(lines_[1].find("the disk is full"), std::string::npos) << lines_[1];
}

class BrokerStartTest : public testing::MetadataTest {};

TEST_F(BrokerStartTest, ABrokerIsRegisteredAndActiveWhenItHasStarted) {
  ASSERT_EQ(open(), "");
  BrokerLifecycle lifecycle(metadata_->controller(), metadata_->source(), 1, log_);
  Arena arena;
  ASSERT_TRUE(lifecycle.start(registration(arena)));
  const auto* broker = image()->broker(1);
  ASSERT_NE(broker, nullptr);
  EXPECT_EQ(broker->epoch, lifecycle.broker_epoch());
  EXPECT_FALSE(broker->fenced);
}

TEST_F(BrokerStartTest, ABrokerWhoseRegistrationCannotBeWrittenDoesNotStart) {
  ASSERT_EQ(open(), "");
  disk_.fail({.call = "pwritev", .code = ENOSPC, .for_good = true, .path_part = "__cluster_metadata-0"});
  BrokerLifecycle lifecycle(metadata_->controller(), metadata_->source(), 1, log_);
  Arena arena;
  const auto started = lifecycle.start(registration(arena));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error(), "the controller refuses this broker: the disk is full");
  EXPECT_EQ(image()->broker(1), nullptr);
}

}  // namespace
}  // namespace milena::broker
