#include "controller/config/topic_configs.h"

#include <gtest/gtest.h>

#include <set>

namespace milena::controller {
namespace {

std::optional<std::string> complaint_about(const ConfigMap& topic, const ConfigMap& file = {}) {
  return check_topic_configs({.topic = &topic, .file = &file});
}

TEST(TopicConfigs, EveryDefaultSatisfiesItsOwnRule) {
  EXPECT_EQ(topic_config_keys().size(), 34u);
  for (const TopicConfigKey& key : topic_config_keys()) {
    default_config(key);
    EXPECT_FALSE(key.doc.empty()) << key.name;
  }
}

TEST(TopicConfigs, EveryBrokerSynonymBelongsToOneKey) {
  std::set<std::string_view> seen;
  for (const TopicConfigKey& key : topic_config_keys()) {
    for (const BrokerSynonym& synonym : key.broker_synonyms()) EXPECT_TRUE(seen.insert(synonym.name).second);
  }
  EXPECT_EQ(seen.size(), 33u);
}

TEST(TopicConfigs, TheStrongestLayerWins) {
  const TopicConfigKey& retention = *find_topic_config("retention.ms");
  const ConfigMap topic{{"retention.ms", "1"}};
  const ConfigMap broker{{"log.retention.ms", "2"}};
  const ConfigMap cluster{{"log.retention.minutes", "3"}};
  const ConfigMap file{{"log.retention.hours", "4"}};
  const auto effective = [&](const ConfigLayers& layers) {
    return effective_topic_config(retention, layers);
  };

  EffectiveConfig found = effective({&topic, &broker, &cluster, &file});
  EXPECT_EQ(found.value, "1");
  EXPECT_EQ(found.source, ConfigSource::kDynamicTopic);
  found = effective({nullptr, &broker, &cluster, &file});
  EXPECT_EQ(found.value, "2");
  EXPECT_EQ(found.source, ConfigSource::kDynamicBroker);
  found = effective({nullptr, nullptr, &cluster, &file});
  EXPECT_EQ(found.value, "180000");
  EXPECT_EQ(found.source, ConfigSource::kDynamicDefaultBroker);
  found = effective({nullptr, nullptr, nullptr, &file});
  EXPECT_EQ(found.value, "14400000");
  EXPECT_EQ(found.source, ConfigSource::kStaticBroker);
  found = effective({});
  EXPECT_EQ(found.value, "604800000");
  EXPECT_EQ(found.source, ConfigSource::kDefault);
}

TEST(TopicConfigs, TheFinerUnitWinsWithinOneLayer) {
  const ConfigMap file{
      {"log.retention.hours", "4"}, {"log.retention.minutes", "5"}, {"log.retention.ms", "6"}};
  EXPECT_EQ(effective_topic_config(*find_topic_config("retention.ms"), {.file = &file}).value, "6");
}

TEST(TopicConfigs, ANegativeNumberOfHoursIsNoLimit) {
  for (const char* name : {"log.retention.hours", "log.retention.minutes"}) {
    const ConfigMap file{{name, "-2"}};
    EXPECT_EQ(effective_topic_config(*find_topic_config("retention.ms"), {.file = &file}).value, "-1");
  }
}

TEST(TopicConfigs, ChecksNamesThenValues) {
  EXPECT_EQ(complaint_about({{"retention.ms", "100"}, {"cleanup.policy", "compact,delete"}}), std::nullopt);
  EXPECT_EQ(complaint_about({{"retention.mss", "100"}}), "Unknown topic config name: retention.mss");
  EXPECT_EQ(complaint_about({{"retention.ms", "-5"}}),
            "Invalid value -5 for configuration retention.ms: Value must be at least -1");
  EXPECT_EQ(complaint_about({{"segment.bytes", "1024"}}),
            "Invalid value 1024 for configuration segment.bytes: Value must be at least 1048576");
  EXPECT_EQ(complaint_about({{"compression.gzip.level", "0"}}),
            "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or "
            "equal to -1");
}

TEST(TopicConfigs, CompactionLagsAreCheckedAgainstEachOtherAcrossLayers) {
  EXPECT_EQ(complaint_about({{"min.compaction.lag.ms", "10"}, {"max.compaction.lag.ms", "5"}}),
            "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)");
  EXPECT_EQ(complaint_about({{"min.compaction.lag.ms", "10"}}, {{"log.cleaner.max.compaction.lag.ms", "7"}}),
            "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (7)");
}

TEST(TopicConfigs, TieredStorageIsRefused) {
  EXPECT_EQ(complaint_about({{"remote.storage.enable", "true"}}),
            "Tiered Storage functionality is disabled in the broker. "
            "Topic cannot be configured with remote log storage.");
}

TEST(TopicConfigs, ThrottledReplicasAreStarOrPairs) {
  const auto check = [](std::string text) {
    return complaint_about({{"leader.replication.throttled.replicas", std::move(text)}});
  };
  EXPECT_EQ(check(""), std::nullopt);
  EXPECT_EQ(check("*"), std::nullopt);
  EXPECT_EQ(check("0:1, 12:3"), std::nullopt);
  EXPECT_TRUE(check("0"));
  EXPECT_TRUE(check("0:"));
  EXPECT_TRUE(check("0:1:2"));
  EXPECT_TRUE(check("*,0:1"));
}

}  // namespace
}  // namespace milena::controller
