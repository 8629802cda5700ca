// The configuration of topics: every key of Kafka 4.3, what it inherits from the broker, and how it is
// checked.
//
// Constant tables and pure functions. A topic's effective value comes from the first layer that has one: the
// topic itself, the broker's dynamic configuration, the cluster's dynamic default, server.properties, the
// built-in default. Below the topic a key has other names (`retention.ms` is `log.retention.hours` in hours);
// the synonyms list them in the order in which they win.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/config_def.h"
#include "controller/config/config_resource.h"

namespace milena::controller {

struct BrokerSynonym {
  std::string_view name{};
  std::int64_t to_milliseconds = 0;  // the topic's value is this many times the broker's; 0: the same text
};

struct TopicConfigKey : ConfigKey {
  std::array<BrokerSynonym, 3> synonyms{};  // unnamed ones end the list

  std::span<const BrokerSynonym> broker_synonyms() const;
};

// All keys, ordered by name.
std::span<const TopicConfigKey> topic_config_keys();
// nullptr when topics have no such key.
const TopicConfigKey* find_topic_config(std::string_view name);

// The numbers are those of DescribeConfigs and CreateTopics answers.
enum class ConfigSource : std::int8_t {
  kDynamicTopic = 1,
  kDynamicBroker = 2,
  kDynamicDefaultBroker = 3,
  kStaticBroker = 4,
  kDefault = 5,
  kGroup = 8,  // 6 and 7 are of loggers and client metrics
};

// The layers above the built-in defaults, strongest first. A null layer is empty.
struct ConfigLayers {
  const ConfigMap* topic = nullptr;   // keys are topic names
  const ConfigMap* broker = nullptr;  // from here on the keys are those of server.properties
  const ConfigMap* cluster = nullptr;
  const ConfigMap* file = nullptr;  // only what was set; defaults are not listed
};

struct EffectiveConfig {
  std::optional<std::string> value;
  ConfigSource source = ConfigSource::kDefault;
};

EffectiveConfig effective_topic_config(const TopicConfigKey& key, const ConfigLayers& layers);

// The parsed effective value. A layer below the topic that does not parse counts as not set, as it never
// passed a check that the topic's writer could have answered for.
ConfigValue effective_topic_value(const TopicConfigKey& key, const ConfigLayers& layers);

// Checks what a topic is about to be given: names, values, and values against each other. nullopt: all is
// well; otherwise the sentence that goes with INVALID_CONFIG.
std::optional<std::string> check_topic_configs(const ConfigLayers& layers);

}  // namespace milena::controller
