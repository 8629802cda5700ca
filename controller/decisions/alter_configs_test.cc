#include "controller/decisions/alter_configs.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "controller/testing/controller_rig.h"

namespace milena::controller {
namespace {

using test_support::ControllerRig;
using test_support::list_of;
using Request = protocol::IncrementalAlterConfigsRequest;
using Resource = Request::AlterConfigsResource;
using Config = Resource::AlterableConfig;
using Result = protocol::IncrementalAlterConfigsResponse::AlterConfigsResourceResponse;

constexpr std::int8_t kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3;
constexpr std::int8_t kTopic = 2, kBroker = 4, kBrokerLogger = 8;

constexpr ConfigKey kDirectories{
    .name = "cordoned.log.dirs", .type = ConfigType::kList, .default_text = "", .rule = milena::list_of("")};

ControllerSettings with_broker_table() {
  ControllerSettings settings = test_support::rig_settings();
  settings.find_config = [](ConfigResourceType, std::string_view name) -> const ConfigKey* {
    return name == kDirectories.name ? &kDirectories : nullptr;
  };
  settings.check_config = [](const ConfigResource& resource, const ConfigMap& configs,
                             const ConfigEdits&) -> Decided<void> {
    if (resource.type != ConfigResourceType::kBroker) {
      return refuse(ErrorCode::kInvalidRequest, "Unknown resource type");
    }
    if (configs.contains("read.only"))
      return refuse(ErrorCode::kInvalidRequest, "read.only cannot be changed");
    return {};
  };
  return settings;
}

class AlterConfigsTest : public ::testing::Test {
 protected:
  explicit AlterConfigsTest(const FeatureLevels& features = {{"metadata.version", 30}})
      : rig_(with_broker_table(), features) {
    rig_.add_broker(1);
    rig_.create_topic("t", 1, 1);
  }

  Result alter(std::int8_t type, std::string_view name, std::initializer_list<Config> configs,
               bool validate_only = false) {
    const Request request{
        .resources = list_of<Resource>(rig_.arena, {{.resource_type = type,
                                                     .resource_name = name,
                                                     .configs = list_of<Config>(rig_.arena, configs)}}),
        .validate_only = validate_only};
    return rig_.commit(rig_.controller.incremental_alter_configs(request, {}, rig_.arena)).responses[0];
  }
  Result alter_topic(std::initializer_list<Config> configs) { return alter(kTopic, "t", configs); }
  void expect_refusal(const Result& result, ErrorCode code, std::string_view message) {
    EXPECT_EQ(result.error_code, code);
    EXPECT_EQ(result.error_message, message);
  }
  ConfigMap stored(ConfigResourceType type = ConfigResourceType::kTopic, std::string_view name = "t") {
    const ConfigMap* found = rig_.image().config(type, name);
    return found != nullptr ? *found : ConfigMap{};
  }

  ControllerRig rig_;
};

TEST_F(AlterConfigsTest, ValuesAreSetAndDeleted) {
  EXPECT_EQ(alter_topic({{"retention.ms", kSet, "5"}, {"segment.ms", kSet, "7"}}).error_code,
            ErrorCode::kNone);
  EXPECT_EQ(stored(), (ConfigMap{{"retention.ms", "5"}, {"segment.ms", "7"}}));
  EXPECT_EQ(alter_topic({{"retention.ms", kDelete, std::nullopt}}).error_code, ErrorCode::kNone);
  EXPECT_EQ(stored(), (ConfigMap{{"segment.ms", "7"}}));
}

TEST_F(AlterConfigsTest, ListsGrowAndShrink) {
  EXPECT_EQ(alter_topic({{"cleanup.policy", kAppend, "compact"}}).error_code, ErrorCode::kNone);
  EXPECT_EQ(stored().at("cleanup.policy"), "delete,compact");  // the default is where it starts
  EXPECT_EQ(alter_topic({{"cleanup.policy", kAppend, "compact"}}).error_code, ErrorCode::kNone);
  EXPECT_EQ(stored().at("cleanup.policy"), "delete,compact");
  EXPECT_EQ(alter_topic({{"cleanup.policy", kSubtract, "delete,x"}}).error_code, ErrorCode::kNone);
  EXPECT_EQ(stored().at("cleanup.policy"), "compact");
  expect_refusal(alter_topic({{"retention.ms", kAppend, "1"}}), ErrorCode::kInvalidConfig,
                 "Can't APPEND to key retention.ms because its type is not LIST.");
  expect_refusal(alter_topic({{"retention.ms", kSubtract, "1"}}), ErrorCode::kInvalidConfig,
                 "Can't SUBTRACT to key retention.ms because its type is not LIST.");
}

TEST_F(AlterConfigsTest, TheResultIsCheckedAsAWhole) {
  EXPECT_EQ(alter_topic({{"max.compaction.lag.ms", kSet, "10"}}).error_code, ErrorCode::kNone);
  expect_refusal(alter_topic({{"min.compaction.lag.ms", kSet, "11"}}), ErrorCode::kInvalidConfig,
                 "conflict topic config setting min.compaction.lag.ms (11) > max.compaction.lag.ms (10)");
  expect_refusal(alter_topic({{"nope", kSet, "1"}}), ErrorCode::kInvalidConfig,
                 "Unknown topic config name: nope");
  EXPECT_EQ(stored().size(), 1u);
}

TEST_F(AlterConfigsTest, ValidateOnlyStoresNothing) {
  EXPECT_EQ(alter(kTopic, "t", {{"retention.ms", kSet, "5"}}, true).error_code, ErrorCode::kNone);
  EXPECT_TRUE(stored().empty());
  EXPECT_EQ(alter(kTopic, "t", {{"retention.ms", kSet, "x"}}, true).error_code, ErrorCode::kInvalidConfig);
}

TEST_F(AlterConfigsTest, RequestsMustMakeSense) {
  expect_refusal(alter_topic({{"retention.ms", kSet, "1"}, {"retention.ms", kSet, "2"}}),
                 ErrorCode::kInvalidRequest, "Error due to duplicate config keys");
  expect_refusal(alter_topic({{"retention.ms", kSet, std::nullopt}, {"segment.ms", kAppend, std::nullopt}}),
                 ErrorCode::kInvalidRequest, "Null value not supported for : retention.ms, segment.ms");
  expect_refusal(alter_topic({{"retention.ms", 9, "1"}}), ErrorCode::kInvalidRequest,
                 "Unknown operations type 9");
  expect_refusal(alter(kBrokerLogger, "1", {}), ErrorCode::kInvalidRequest, "Unknown resource type 8");
  expect_refusal(alter(77, "1", {}), ErrorCode::kInvalidRequest, "Unknown resource type 77");
  expect_refusal(alter(kTopic, "", {}), ErrorCode::kInvalidRequest,
                 "Default topic resources are not allowed.");
  expect_refusal(alter(kTopic, "nope", {{"retention.ms", kSet, "1"}}), ErrorCode::kUnknownTopicOrPartition,
                 "The topic 'nope' does not exist.");
}

TEST_F(AlterConfigsTest, AResourceNamedTwiceIsLeftAlone) {
  const auto configs = list_of<Config>(rig_.arena, {{"retention.ms", kSet, "5"}});
  const Request request{
      .resources = list_of<Resource>(rig_.arena,
                                     {{.resource_type = kTopic, .resource_name = "t", .configs = configs},
                                      {.resource_type = kTopic, .resource_name = "t", .configs = configs}})};
  for (const Result& result :
       rig_.commit(rig_.controller.incremental_alter_configs(request, {}, rig_.arena)).responses) {
    expect_refusal(result, ErrorCode::kInvalidRequest, "Each resource must appear at most once.");
  }
  EXPECT_TRUE(stored().empty());
}

TEST_F(AlterConfigsTest, BrokersAreConfiguredOneByOneAndAllTogether) {
  EXPECT_EQ(alter(kBroker, "", {{"log.retention.ms", kSet, "9"}}).error_code, ErrorCode::kNone);
  EXPECT_EQ(alter(kBroker, "1", {{"log.retention.ms", kSet, "8"}}).error_code, ErrorCode::kNone);
  EXPECT_EQ(stored(ConfigResourceType::kBroker, ""), (ConfigMap{{"log.retention.ms", "9"}}));
  EXPECT_EQ(stored(ConfigResourceType::kBroker, "1"), (ConfigMap{{"log.retention.ms", "8"}}));
  expect_refusal(alter(kBroker, "7", {}), ErrorCode::kBrokerIdNotRegistered, "No node with id 7 found.");
  expect_refusal(alter(kBroker, "one", {}), ErrorCode::kInvalidRequest,
                 "Unable to parse broker name as a base 10 number.");
  expect_refusal(alter(kBroker, "-1", {}), ErrorCode::kInvalidRequest, "Invalid negative broker ID.");
  expect_refusal(alter(kBroker, "1", {{"read.only", kSet, "1"}}), ErrorCode::kInvalidRequest,
                 "read.only cannot be changed");
}

TEST_F(AlterConfigsTest, ABrokersValueIsWrittenAgainSoThatItIsLoadedAgain) {
  alter(kBroker, "1", {{"ssl.keystore.location", kSet, "/k"}});
  const Offset before = rig_.image().provenance.offset;
  alter(kBroker, "1", {{"ssl.keystore.location", kSet, "/k"}});
  EXPECT_EQ(rig_.image().provenance.offset, before + 1);
  alter_topic({{"retention.ms", kSet, "5"}});
  const Offset topic = rig_.image().provenance.offset;
  alter_topic({{"retention.ms", kSet, "5"}});
  EXPECT_EQ(rig_.image().provenance.offset, topic);
}

TEST_F(AlterConfigsTest, ListsOfBrokersComeFromTheirOwnTable) {
  EXPECT_EQ(alter(kBroker, "1", {{"cordoned.log.dirs", kAppend, "/a"}}).error_code, ErrorCode::kNone);
  EXPECT_EQ(alter(kBroker, "1", {{"cordoned.log.dirs", kAppend, "/b"}}).error_code, ErrorCode::kNone);
  EXPECT_EQ(stored(ConfigResourceType::kBroker, "1").at("cordoned.log.dirs"), "/a,/b");
}

TEST_F(AlterConfigsTest, TheOldFormReplacesEverything) {
  alter_topic({{"retention.ms", kSet, "5"}, {"segment.ms", kSet, "7"}});
  using Old = protocol::AlterConfigsRequest;
  Old::AlterConfigsResource::AlterableConfig configs[] = {{.name = "segment.ms", .value = "8"}};
  Old::AlterConfigsResource resources[] = {
      {.resource_type = kTopic, .resource_name = "t", .configs = configs}};
  const auto response = rig_.commit(rig_.controller.alter_configs({.resources = resources}, {}, rig_.arena));
  EXPECT_EQ(response.responses[0].error_code, ErrorCode::kNone);
  EXPECT_EQ(stored(), (ConfigMap{{"segment.ms", "8"}}));
  configs[0].value = std::nullopt;
  const auto refused = rig_.controller.alter_configs({.resources = resources}, {}, rig_.arena);
  EXPECT_EQ(refused.response.responses[0].error_code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(refused.response.responses[0].error_message, "Null value not supported for : segment.ms");
}

TEST_F(AlterConfigsTest, AccessIsAskedForEachResource) {
  const auto configs = list_of<Config>(rig_.arena, {{"retention.ms", kSet, "5"}});
  const Request request{
      .resources = list_of<Resource>(rig_.arena,
                                     {{.resource_type = kTopic, .resource_name = "t", .configs = configs}})};
  const auto denied = rig_.controller.incremental_alter_configs(
      request, [](ConfigResourceView) { return ErrorCode::kTopicAuthorizationFailed; }, rig_.arena);
  EXPECT_EQ(denied.response.responses[0].error_code, ErrorCode::kTopicAuthorizationFailed);
  EXPECT_TRUE(denied.records.empty());
}

class AlterConfigsWithElrTest : public AlterConfigsTest {
 protected:
  AlterConfigsWithElrTest()
      : AlterConfigsTest({{"metadata.version", 30}, {"eligible.leader.replicas.version", 1}}) {}
};

TEST_F(AlterConfigsWithElrTest, MinInsyncReplicasIsOneForTheWholeCluster) {
  expect_refusal(alter(kBroker, "1", {{"min.insync.replicas", kSet, "2"}}), ErrorCode::kInvalidConfig,
                 "Broker-level min.insync.replicas cannot be altered while ELR is enabled.");
  expect_refusal(alter(kBroker, "", {{"min.insync.replicas", kDelete, std::nullopt}}),
                 ErrorCode::kInvalidConfig,
                 "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.");
  EXPECT_EQ(alter(kBroker, "", {{"min.insync.replicas", kSet, "2"}}).error_code, ErrorCode::kNone);
}

TEST_F(AlterConfigsWithElrTest, ChangingMinInsyncReplicasClearsEligibleLeaders) {
  const Request request{
      .resources = list_of<Resource>(
          rig_.arena, {{.resource_type = kTopic,
                        .resource_name = "t",
                        .configs = list_of<Config>(rig_.arena, {{"min.insync.replicas", kSet, "2"}})}})};
  const auto outcome = rig_.controller.incremental_alter_configs(request, {}, rig_.arena);
  ASSERT_EQ(outcome.records.size(), 2u);
  EXPECT_EQ(std::get<protocol::ClearElrRecord>(outcome.records[1].body).topic_name, "t");
}

}  // namespace
}  // namespace milena::controller
