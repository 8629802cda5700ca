// What DescribeConfigs tells about a broker: every key with its value, where it comes from, and its synonyms.
//
// Pure functions over the layers, by the rules of Apache Kafka. Sensitive values are never told.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_def.h"
#include "broker/config/in_force.h"
#include "controller/config/topic_configs.h"

namespace milena::broker {

using controller::ConfigLayers;
using controller::ConfigSource;

struct DescribedConfig {
  struct Synonym {
    std::string name;
    std::optional<std::string> value;  // null when sensitive
    ConfigSource source = ConfigSource::kDefault;
    bool operator==(const Synonym&) const = default;
  };

  std::string name;
  std::optional<std::string> value;
  ConfigSource source = ConfigSource::kDefault;
  bool is_read_only = true;
  bool is_sensitive = false;
  std::optional<ConfigType> type;  // unknown for a key that is not ours
  std::string_view doc;
  std::vector<Synonym> synonyms;  // the effective one first
};

// Every key that is not internal, and whatever else was set; sorted by name. `layers.topic` is not looked at.
// `in_force`: values that the layers do not tell (in_force.h).
std::vector<DescribedConfig> describe_broker(const ConfigLayers& layers, const InForce& in_force);

// One key that this version knows.
DescribedConfig describe_broker_key(const ConfigLayers& layers, std::string_view name);

// Only the cluster-wide dynamic defaults: the broker resource "".
std::vector<DescribedConfig> describe_broker_defaults(const ConfigLayers& layers);

}  // namespace milena::broker
