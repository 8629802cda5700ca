#include "broker/config/dynamic_config.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/config/broker_keys.h"
#include "broker/config/static_config.h"

namespace milena::broker {
namespace {

using controller::ConfigEdits;
using controller::ConfigResource;
using controller::ConfigResourceType;
using controller::MetadataImage;

class DynamicConfigTest : public ::testing::Test {
 protected:
  explicit DynamicConfigTest(std::vector<std::string> overrides = {})
      : file_(*StaticConfig::read({.overrides = std::move(overrides)})), config_(file_, 1, log_) {}

  void store(const std::string& resource, ConfigMap values) {
    image_.configs.set(ConfigResource{ConfigResourceType::kBroker, resource},
                       controller::Shared<ConfigMap>(std::move(values)));
    config_.follow(image_);
  }
  // What is said about storing this on top of nothing.
  std::string refusal(const std::string& resource, const ConfigMap& values) {
    ConfigEdits edits;
    for (const auto& [name, text] : values) edits.emplace(name, text);
    const auto checked = config_.check(resource, values, edits);
    return checked ? "" : checked.error();
  }

  Logger log_{LogLevel::kError};
  const StaticConfig file_;
  DynamicConfig config_;
  MetadataImage image_;
};

TEST_F(DynamicConfigTest, OfThisBrokerBeforeOfAllBeforeOfTheFile) {
  EXPECT_EQ(config_.current()->number("max.connections.per.ip"), 2147483647);
  store("", {{"max.connections.per.ip", "20"}});
  EXPECT_EQ(config_.current()->number("max.connections.per.ip"), 20);
  store("1", {{"max.connections.per.ip", "10"}});
  store("2", {{"max.connections.per.ip", "5"}});
  EXPECT_EQ(config_.current()->number("max.connections.per.ip"), 10) << "nothing of another broker";
  store("1", {});
  EXPECT_EQ(config_.current()->number("max.connections.per.ip"), 20);
  store("", {});
  EXPECT_EQ(config_.current()->number("max.connections.per.ip"), 2147483647);
}

TEST_F(DynamicConfigTest, SubscribersHearOfTheStartAndOfEveryChange) {
  store("", {{"producer.id.expiration.ms", "5"}});
  std::vector<std::int64_t> heard;
  config_.subscribe(
      [&](const ConfigValues& now) { heard.push_back(now.number("producer.id.expiration.ms")); });
  store("", {{"producer.id.expiration.ms", "6"}});
  store("", {{"producer.id.expiration.ms", "6"}});
  config_.follow(image_);
  EXPECT_EQ(heard, (std::vector<std::int64_t>{5, 6}));
}

TEST_F(DynamicConfigTest, WhatMustNotBeStoredIsLeftOutIfItIs) {
  store(
      "1",
      {{"node.id", "7"}, {"num.partitions", "9"}, {"message.max.bytes", "many"}, {"log.retention.ms", "5"}});
  store("", {{"listeners", "PLAINTEXT://:1"}, {"cordoned.log.dirs", "/a"}});
  const auto state = config_.state();
  EXPECT_EQ(state->for_this, (ConfigMap{{"log.retention.ms", "5"}}));
  EXPECT_TRUE(state->for_all.empty());
  EXPECT_EQ(state->values.number("num.partitions"), 1);
  EXPECT_EQ(state->values.number("message.max.bytes"), 1048588);
}

TEST_F(DynamicConfigTest, OnlyWhatCanBeAppliedMayBeChanged) {
  EXPECT_EQ(refusal("1", {{"max.connections", "5"}}), "");
  EXPECT_EQ(refusal("", {{"max.connections", "5"}, {"for.a.plug-in", "x"}}), "");
  EXPECT_EQ(refusal("1", {{"node.id", "7"}, {"log.dirs", "/a"}}),
            "Cannot update these configs dynamically: [log.dirs, node.id]");
  for (const char* name :
       {"listeners", "listener.security.protocol.map", "num.network.threads", "num.io.threads",
        "log.cleaner.threads", "ssl.keystore.location", "leader.replication.throttled.rate"}) {
    const BrokerConfigKey* key = find_broker_config(name);
    const std::string text(key == nullptr ? "1" : key->default_text.value_or("x"));
    EXPECT_EQ(refusal("1", {{name, text}}),
              "Cannot update these configs dynamically: [" + std::string(name) + "]");
  }
  EXPECT_EQ(refusal("1", {{"listener.name.a.ssl.keystore.location", "x"}}),
            "Cannot update these configs dynamically: [listener.name.a.ssl.keystore.location]");
  EXPECT_EQ(refusal("1", {{"listener.name.a.max.connections", "3"}}), "");
  EXPECT_EQ(refusal("1", {{"remote.log.reader.threads", "3"}}), "") << "without meaning, so without harm";
}

TEST_F(DynamicConfigTest, WhatIsDeletedMayBeAnything) {
  EXPECT_TRUE(config_.check("1", {}, {{"node.id", std::nullopt}, {"message.max.bytes", std::nullopt}}));
  const ConfigMap stored{{"num.io.threads", "4"}, {"max.connections", "5"}};
  EXPECT_TRUE(config_.check("1", stored, {{"max.connections", "5"}})) << "an older version stored the other";
}

TEST_F(DynamicConfigTest, WhatAsksForProtectionIsRefused) {
  EXPECT_EQ(refusal("1", {{"super.users", "User:a"}}),
            "super.users asks for access control, which this version does not have");
  EXPECT_NE(refusal("1", {{"principal.builder.class", "my.Builder"}}), "");
  EXPECT_NE(refusal("1", {{"listener.name.a.ssl.client.auth", "required"}}), "");
}

TEST_F(DynamicConfigTest, ValuesAreCheckedAloneAndTogether) {
  EXPECT_EQ(refusal("1", {{"message.max.bytes", "-1"}}),
            "Invalid value -1 for configuration message.max.bytes: Value must be at least 0");
  EXPECT_EQ(refusal("1", {{"listener.name.a.max.connections", "x"}}),
            "Invalid value x for configuration max.connections: Not a number of type INT");
  EXPECT_EQ(refusal("1", {{"max.connections.per.ip", "0"}}),
            "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is "
            "set.");
  EXPECT_EQ(refusal("1", {{"max.connections.per.ip", "0"}, {"max.connections.per.ip.overrides", "a:1"}}), "");
  EXPECT_EQ(refusal("1", {{"max.connections.per.ip.overrides", "a"}}),
            "Error parsing configuration property 'max.connections.per.ip.overrides': a");
  EXPECT_EQ(refusal("1", {{"log.retention.ms", "0"}}),
            "log.retention.ms must be unlimited (-1) or, greater than or equal to 1");
}

TEST_F(DynamicConfigTest, SomeKeysAreOfOneBrokerOnly) {
  EXPECT_EQ(refusal("", {{"cordoned.log.dirs", "/a"}}),
            "Cannot update these configs at default cluster level, broker id must be specified: "
            "[cordoned.log.dirs]");
  EXPECT_EQ(refusal("1", {{"cordoned.log.dirs", "/tmp/milena-logs"}}), "");
  EXPECT_EQ(refusal("1", {{"cordoned.log.dirs", "/a"}}),
            "All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : /a");
  EXPECT_EQ(refusal("2", {{"max.connections", "1"}}), "Unexpected broker id, expected 1, but received 2");
}

class BoundedConfigTest : public DynamicConfigTest {
 protected:
  BoundedConfigTest()
      : DynamicConfigTest({"group.consumer.min.assignment.interval.ms=100",
                           "group.consumer.max.assignment.interval.ms=2000", "log.retention.hours=5"}) {}
};

TEST_F(BoundedConfigTest, KafkaBoundsTheAssignmentInterval) {
  store("", {{"group.consumer.assignment.interval.ms", "5"}});
  EXPECT_EQ(config_.current()->number("group.consumer.assignment.interval.ms"), 100);
  store("", {{"group.consumer.assignment.interval.ms", "5000"}});
  EXPECT_EQ(config_.current()->number("group.consumer.assignment.interval.ms"), 2000);
}

TEST_F(BoundedConfigTest, ADynamicKeyDisplacesItsSynonymsInTheFile) {
  store("", {{"log.retention.ms", "1000"}});
  EXPECT_FALSE(config_.current()->is_set("log.retention.hours"));
  EXPECT_EQ(config_.current()->number("log.retention.ms"), 1000);
}

}  // namespace
}  // namespace milena::broker
