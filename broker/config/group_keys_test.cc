#include "broker/config/group_keys.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/config/broker_keys.h"

namespace milena::broker {
namespace {

StaticConfig settings(std::vector<std::string> overrides = {}) {
  auto read = StaticConfig::read({.overrides = std::move(overrides)});
  EXPECT_TRUE(read) << read.error();
  return *std::move(read);
}

std::string complaint(const controller::ConfigMap& config) {
  const auto checked = check_group_config(config, settings());
  return checked ? "" : checked.error();
}

TEST(GroupConfigs, EveryKeyOfTheBrokerThatIsNamedExists) {
  for (const GroupConfigKey& key : group_config_keys()) {
    for (const auto name : {key.broker_key, key.lower_bound, key.upper_bound}) {
      if (!name.empty()) EXPECT_NE(find_broker_config(name), nullptr) << name;
    }
    EXPECT_TRUE(parse_config(key, key.default_text)) << key.name;
  }
}

TEST(GroupConfigs, AreCheckedInKafkasWords) {
  EXPECT_EQ(complaint({}), "");
  EXPECT_EQ(complaint({{"consumer.session.timeout.ms", "50000"}}), "");
  EXPECT_EQ(complaint({{"consumer.sesion.timeout.ms", "50000"}}),
            "Unknown group config name: consumer.sesion.timeout.ms");
  EXPECT_EQ(
      complaint({{"consumer.session.timeout.ms", "44999"}}),
      "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms");
  EXPECT_EQ(complaint({{"consumer.heartbeat.interval.ms", "15001"}}),
            "consumer.heartbeat.interval.ms must be less than or equal to "
            "group.consumer.max.heartbeat.interval.ms");
  EXPECT_NE(complaint({{"consumer.session.timeout.ms", "soon"}}), "");
}

TEST(GroupConfigs, AHeartbeatIsShorterThanASession) {
  const auto tight = settings({"group.consumer.min.session.timeout.ms=1000"});
  const auto checked = check_group_config({{"consumer.session.timeout.ms", "5000"}}, tight);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error(),
            "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms");
}

TEST(GroupConfigs, AResetStrategyMayBeADuration) {
  for (const char* fine : {"earliest", "latest", "by_duration:PT1H", "by_duration:P1DT2H3M4.5S"}) {
    EXPECT_EQ(complaint({{"share.auto.offset.reset", fine}}), "") << fine;
  }
  for (const char* bad : {"", "none", "by_duration:", "by_duration:P", "by_duration:PT", "by_duration:-PT1H",
                          "by_duration:P1H", "by_duration:PT1M1H", "by_duration:PT1.5H"}) {
    EXPECT_NE(complaint({{"share.auto.offset.reset", bad}}), "") << bad;
  }
}

TEST(GroupConfigs, AreDescribedWithTheBrokersKeysAsSynonyms) {
  const controller::ConfigMap file{{"group.consumer.session.timeout.ms", "46000"}};
  const controller::ConfigMap group{{"consumer.heartbeat.interval.ms", "6000"}};
  const auto all = describe_group(&group, {.file = &file});
  const auto find = [&](std::string_view name) {
    return *std::ranges::find(all, name, &DescribedConfig::name);
  };

  const auto session = find("consumer.session.timeout.ms");
  EXPECT_EQ(session.value, "46000");
  EXPECT_EQ(session.source, ConfigSource::kStaticBroker);
  EXPECT_FALSE(session.is_read_only);
  const auto heartbeat = find("consumer.heartbeat.interval.ms");
  EXPECT_EQ(heartbeat.value, "6000");
  EXPECT_EQ(heartbeat.source, ConfigSource::kGroup);
  ASSERT_EQ(heartbeat.synonyms.size(), 2);
  EXPECT_EQ(heartbeat.synonyms[1].name, "group.consumer.heartbeat.interval.ms");
}

}  // namespace
}  // namespace milena::broker
