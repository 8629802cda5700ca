#include "controller/decisions/bootstrap.h"

#include <gtest/gtest.h>

#include <string>

#include "controller/testing/controller_rig.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;

std::vector<std::string> names(const std::vector<MetadataRecord>& records) {
  std::vector<std::string> list;
  for (const MetadataRecord& record : records) {
    std::visit([&](const auto& body) { list.emplace_back(body.kInfo.name); }, record.body);
  }
  return list;
}

// As Apache Kafka 4.3 does it on a fresh cluster.
TEST(Bootstrap, AnEmptyLogGetsItsFeaturesInOneTransaction) {
  SeededRng rng(1);
  Arena arena;
  Controller controller(test_support::rig_settings(), MetadataLoader(), rng);
  const auto records =
      controller.activate(0, {.features = default_bootstrap_features(test_support::rig_features())}, arena);
  EXPECT_EQ(names(records),
            (std::vector<std::string>{"BeginTransactionRecord", "FeatureLevelRecord", "FeatureLevelRecord",
                                      "FeatureLevelRecord", "FeatureLevelRecord", "ConfigRecord",
                                      "EndTransactionRecord"}));
  const auto& first = std::get<protocol::FeatureLevelRecord>(records[1].body);
  EXPECT_EQ(first.name, "metadata.version");
  EXPECT_EQ(first.feature_level, 30);
  const auto& min_isr = std::get<protocol::ConfigRecord>(records[5].body);
  EXPECT_EQ(min_isr.name, "min.insync.replicas");
  EXPECT_EQ(min_isr.resource_name, "");
  EXPECT_EQ(min_isr.value, "1");
}

TEST(Bootstrap, OnlyWhatTheNodeSupportsIsTurnedOn) {
  EXPECT_EQ(default_bootstrap_features({{"metadata.version", {7, 30}}, {"transaction.version", {0, 0}}}),
            (FeatureLevels{{"metadata.version", 30}}));
  EXPECT_EQ(default_bootstrap_features({{"metadata.version", {7, 25}}, {"transaction.version", {0, 1}}}),
            (FeatureLevels{{"metadata.version", 25}, {"transaction.version", 1}}));
}

TEST(Bootstrap, AnOldMetadataVersionStartsWithoutATransaction) {
  SeededRng rng(1);
  Arena arena;
  Controller controller(test_support::rig_settings(), MetadataLoader(), rng);
  EXPECT_EQ(names(controller.activate(0, {.features = {{"metadata.version", 12}}}, arena)),
            (std::vector<std::string>{"FeatureLevelRecord"}));
}

TEST(Bootstrap, ALogWithAMetadataVersionIsLeftAsItIs) {
  ControllerRig rig;
  EXPECT_TRUE(
      rig.restarted().controller.activate(0, {.features = {{"metadata.version", 25}}}, rig.arena).empty());
}

TEST(Bootstrap, CredentialsThatFormattingWroteDownComeWithTheFeatures) {
  SeededRng rng(1);
  Arena arena;
  Controller controller(test_support::rig_settings(), MetadataLoader(), rng);
  Bootstrap bootstrap{.features = {{"metadata.version", 30}, {"share.version", 1}}};
  bootstrap.scram.set({.mechanism = 1, .user = "admin"}, Shared(ScramCredential{.iterations = 4096}));
  const auto records = controller.activate(0, bootstrap, arena);
  EXPECT_EQ(names(records),
            (std::vector<std::string>{"BeginTransactionRecord", "FeatureLevelRecord", "FeatureLevelRecord",
                                      "UserScramCredentialRecord", "EndTransactionRecord"}));
  EXPECT_EQ(std::get<protocol::UserScramCredentialRecord>(records[3].body).name, "admin");
}

TEST(Bootstrap, AnUnfinishedTransactionIsAborted) {
  ControllerRig rig;
  const MetadataRecord open[] = {
      {.body = protocol::BeginTransactionRecord{}},
      {.body = protocol::FeatureLevelRecord{.name = "group.version", .feature_level = 1}}};
  rig.commit(open);
  ControllerRig again = rig.restarted();
  const auto records = again.controller.activate(0, {}, again.arena);
  EXPECT_EQ(names(records), (std::vector<std::string>{"AbortTransactionRecord"}));
  again.commit(records);
  EXPECT_EQ(again.image().feature("group.version"), 0);
}

TEST(Bootstrap, AnUnfinishedBootstrapIsDoneAgain) {
  SeededRng rng(1);
  Arena arena;
  MetadataLoader loader;
  const MetadataRecord half[] = {
      {.body = protocol::BeginTransactionRecord{}},
      {.body = protocol::FeatureLevelRecord{.name = "metadata.version", .feature_level = 30}}};
  const auto bytes = encode_metadata_batch(half, {.base_offset = 0, .epoch = 1}).value();
  ASSERT_TRUE(loader.load(*decode_metadata_batch(*protocol::RecordBatchView::parse(bytes), arena)));
  Controller controller(test_support::rig_settings(), std::move(loader), rng);
  EXPECT_EQ(names(controller.activate(0, {.features = {{"metadata.version", 30}}}, arena)),
            (std::vector<std::string>{"AbortTransactionRecord", "BeginTransactionRecord",
                                      "FeatureLevelRecord", "EndTransactionRecord"}));
}

}  // namespace
}  // namespace milena::controller
