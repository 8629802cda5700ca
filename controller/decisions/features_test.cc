#include "controller/decisions/features.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "controller/testing/controller_rig.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;
using test_support::list_of;
using Request = protocol::UpdateFeaturesRequest;
using Response = protocol::UpdateFeaturesResponse;
using Update = Request::FeatureUpdateKey;

constexpr std::int8_t kSafeDowngrade = 2, kUnsafeDowngrade = 3;

Response update(ControllerRig& rig, std::initializer_list<Update> updates, int api_version = 2,
                bool validate_only = false) {
  const Request request{.feature_updates = list_of<Update>(rig.arena, updates),
                        .validate_only = validate_only};
  return rig.commit(rig.controller.update_features(request, api_version, 1, rig.arena));
}

void expect_refusal(const Response& response, const std::string& why) {
  EXPECT_EQ(response.error_code, ErrorCode::kInvalidUpdateVersion);
  EXPECT_EQ(response.error_message,
            "The update failed for all features since the following feature had an error: " + why);
}

TEST(UpdateFeatures, LevelsGoUpAndDownWhenAskedFor) {
  ControllerRig rig;
  EXPECT_EQ(update(rig, {{.feature = "group.version", .max_version_level = 1}}).error_code, ErrorCode::kNone);
  EXPECT_EQ(rig.image().feature("group.version"), 1);
  expect_refusal(
      update(rig, {{.feature = "group.version", .max_version_level = 0}}),
      "Invalid update version 0 for feature group.version. Can't downgrade the version of this feature "
      "without setting the upgrade type to either safe or unsafe downgrade.");
  EXPECT_EQ(
      update(rig, {{.feature = "group.version", .max_version_level = 0, .upgrade_type = kSafeDowngrade}})
          .error_code,
      ErrorCode::kNone);
  EXPECT_EQ(rig.image().feature("group.version"), 0);
  expect_refusal(
      update(rig, {{.feature = "group.version", .max_version_level = 1, .upgrade_type = kUnsafeDowngrade}}),
      "Invalid update version 1 for feature group.version. Can't downgrade to a newer version.");
}

TEST(UpdateFeatures, AllOrNothing) {
  ControllerRig rig;
  expect_refusal(
      update(rig, {{.feature = "group.version", .max_version_level = 1},
                   {.feature = "transaction.version", .max_version_level = 9}}),
      "Invalid update version 9 for feature transaction.version. Local controller 1 only supports versions "
      "0-2");
  EXPECT_EQ(rig.image().feature("group.version"), 0);
}

TEST(UpdateFeatures, WhatNobodyKnowsCannotBeTurnedOn) {
  ControllerRig rig;
  expect_refusal(
      update(rig, {{.feature = "flux.version", .max_version_level = 1}}),
      "Invalid update version 1 for feature flux.version. Local controller 1 does not support this "
      "feature.");
  expect_refusal(
      update(rig, {{.feature = "group.version", .max_version_level = -1}}),
      "Invalid update version -1 for feature group.version. A feature version cannot be less than 0.");
  expect_refusal(
      update(rig, {{.feature = "group.version", .max_version_level = 1, .upgrade_type = 0}}),
      "Invalid update version 1 for feature group.version. The controller does not support the given "
      "upgrade type.");
}

TEST(UpdateFeatures, EveryBrokerMustUnderstandTheLevel) {
  ControllerSettings settings = test_support::rig_settings();
  settings.supported_features["group.version"].max = 2;
  ControllerRig rig(settings);
  rig.add_broker(1);
  expect_refusal(update(rig, {{.feature = "group.version", .max_version_level = 2}}),
                 "Invalid update version 2 for feature group.version. Broker 1 only supports versions 0-1");
}

TEST(UpdateFeatures, MetadataVersionMayNotLoseRecords) {
  ControllerRig rig;
  expect_refusal(
      update(rig, {{.feature = "metadata.version", .max_version_level = 29, .upgrade_type = kSafeDowngrade}}),
      "Unsupported metadata.version downgrade from 30 to 29. Refusing to perform the requested downgrade "
      "because it "
      "might delete metadata information.");
  ControllerRig older(test_support::rig_settings(), {{"metadata.version", 29}});
  EXPECT_EQ(update(older,
                   {{.feature = "metadata.version", .max_version_level = 25, .upgrade_type = kSafeDowngrade}})
                .error_code,
            ErrorCode::kNone);
  EXPECT_EQ(older.image().metadata_version(), 25);
  EXPECT_EQ(update(older, {{.feature = "metadata.version", .max_version_level = 30}}).error_code,
            ErrorCode::kNone);
  expect_refusal(
      update(older, {{.feature = "metadata.version", .max_version_level = 6}}),
      "Invalid update version 6 for feature metadata.version. Local controller 1 only supports versions "
      "7-30");
}

TEST(UpdateFeatures, KraftVersionIsTheQuorums) {
  ControllerRig rig;
  EXPECT_EQ(update(rig, {{.feature = "kraft.version", .max_version_level = 1}}).error_code, ErrorCode::kNone);
  expect_refusal(
      update(rig, {{.feature = "kraft.version", .max_version_level = 0, .upgrade_type = kSafeDowngrade}}),
      "Invalid update version 0 for feature kraft.version. Can't change the version of this feature.");
  EXPECT_EQ(rig.image().feature("kraft.version"), 0);
}

TEST(UpdateFeatures, EligibleLeaderReplicasMakeMinInsyncReplicasUniform) {
  ControllerSettings settings = test_support::rig_settings();
  settings.static_config["min.insync.replicas"] = "2";
  ControllerRig rig(settings);
  const MetadataRecord own{
      .body = protocol::ConfigRecord{
          .resource_type = 4, .resource_name = "7", .name = "min.insync.replicas", .value = "3"}};
  rig.commit(std::span(&own, 1));
  EXPECT_EQ(update(rig, {{.feature = kElrFeature, .max_version_level = 1}}).error_code, ErrorCode::kNone);
  EXPECT_EQ(rig.image().config(ConfigResourceType::kBroker, "")->at("min.insync.replicas"), "2");
  EXPECT_EQ(rig.image().config(ConfigResourceType::kBroker, "7"), nullptr);
}

TEST(UpdateFeatures, DependenciesCountAsTheyWillBe) {
  ControllerRig rig(test_support::rig_settings(), {{"metadata.version", 22}});
  expect_refusal(
      update(rig, {{.feature = kElrFeature, .max_version_level = 1}}),
      "Invalid update version 1 for feature eligible.leader.replicas.version. "
      "eligible.leader.replicas.version could not be set to 1 because it depends on metadata.version level "
      "23");
  EXPECT_EQ(update(rig, {{.feature = kElrFeature, .max_version_level = 1},
                         {.feature = "metadata.version", .max_version_level = 23}})
                .error_code,
            ErrorCode::kNone);
}

TEST(UpdateFeatures, ValidateOnlyAndOldVersionsOfTheRequest) {
  ControllerRig rig;
  const Response response = update(rig, {{.feature = "group.version", .max_version_level = 1}}, 1, true);
  ASSERT_EQ(response.results.size(), 1u);
  EXPECT_EQ(response.results[0].feature, "group.version");
  EXPECT_EQ(rig.image().feature("group.version"), 0);
  EXPECT_TRUE(update(rig, {{.feature = "group.version", .max_version_level = 1}}, 2).results.empty());
  EXPECT_EQ(update(rig, {{.feature = "group.version", .max_version_level = 0, .allow_downgrade = true}}, 0)
                .error_code,
            ErrorCode::kNone);
  EXPECT_EQ(rig.image().feature("group.version"), 0);
}

}  // namespace
}  // namespace milena::controller
