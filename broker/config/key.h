// BrokerConfigKey: one key of server.properties, and the words that the tables of keys are written in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/config_def.h"

namespace milena::broker {

// Who may change a key of a running cluster, with AlterConfigs.
enum class ConfigUpdate : std::uint8_t {
  kReadOnly,     // nobody: it comes from the file, the environment or a flag
  kPerBroker,    // for one broker at a time
  kClusterWide,  // for one broker, or for all
};

// What setting a key does here.
enum class ConfigEffect : std::uint8_t {
  kInForce,         // what it does in Kafka; at once when its update mode lets it change
  kWithoutEffect,   // nothing yet: a start lists such keys in a warning
  kWithoutMeaning,  // nothing, ever: it is about the JVM, ZooKeeper, Java plug-ins or tiered storage
  kRefused,         // asks for protection or policy that is not here: the node does not start
};

struct BrokerConfigKey : ConfigKey {
  ConfigUpdate update = ConfigUpdate::kReadOnly;
  ConfigEffect effect = ConfigEffect::kInForce;
  std::string_view lacks{};    // kRefused: what the key asks for
  bool only_at_start = false;  // kInForce, but not while the node runs, although Kafka lets it change
};

namespace keys {

using enum ConfigType;

constexpr BrokerConfigKey key(ConfigUpdate update, std::string_view name, ConfigType type,
                              std::optional<std::string_view> default_text, ConfigRule rule,
                              std::string_view doc) {
  BrokerConfigKey made;
  made.name = name;
  made.type = type;
  made.default_text = default_text;
  made.rule = rule;
  made.doc = doc;
  made.update = update;
  return made;
}

constexpr BrokerConfigKey read_only(std::string_view name, ConfigType type,
                                    std::optional<std::string_view> default_text, ConfigRule rule,
                                    std::string_view doc) {
  return key(ConfigUpdate::kReadOnly, name, type, default_text, rule, doc);
}
constexpr BrokerConfigKey per_broker(std::string_view name, ConfigType type,
                                     std::optional<std::string_view> default_text, ConfigRule rule,
                                     std::string_view doc) {
  return key(ConfigUpdate::kPerBroker, name, type, default_text, rule, doc);
}
constexpr BrokerConfigKey cluster_wide(std::string_view name, ConfigType type,
                                       std::optional<std::string_view> default_text, ConfigRule rule,
                                       std::string_view doc) {
  return key(ConfigUpdate::kClusterWide, name, type, default_text, rule, doc);
}
// For tests and developers: listings leave it out.
constexpr BrokerConfigKey internal(BrokerConfigKey made) {
  made.internal = true;
  return made;
}

constexpr BrokerConfigKey only_at_start(BrokerConfigKey made) {
  made.only_at_start = true;
  return made;
}
constexpr BrokerConfigKey without_effect(BrokerConfigKey made) {
  made.effect = ConfigEffect::kWithoutEffect;
  return made;
}
constexpr BrokerConfigKey without_meaning(BrokerConfigKey made) {
  made.effect = ConfigEffect::kWithoutMeaning;
  return made;
}
constexpr BrokerConfigKey refused(BrokerConfigKey made, std::string_view lacks) {
  made.effect = ConfigEffect::kRefused;
  made.lacks = lacks;
  return made;
}

// Checks that no rule of base/config_def.h covers.
std::string check_gzip_level(std::string_view name, const ConfigValue& value);
std::string check_not_empty(std::string_view name, const ConfigValue& value);
// uniform and range, or their Java classes: the assignors that are here.
std::string check_assignors(std::string_view name, const ConfigValue& value);
// "1@host:9093": the members of a fixed quorum.
std::string check_voters(std::string_view name, const ConfigValue& value);
// "127.0.0.1:9404"; empty: none.
std::string check_metrics_listener(std::string_view name, const ConfigValue& value);
// "host:9093"
std::string check_bootstrap_servers(std::string_view name, const ConfigValue& value);

}  // namespace keys
}  // namespace milena::broker
