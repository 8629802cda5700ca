#include "broker/config/describe_topic.h"

#include <utility>

#include "broker/config/broker_keys.h"

namespace milena::broker {
namespace {

using controller::ConfigMap;
using controller::TopicConfigKey;

// The topic's own value, then what the broker's keys of the same meaning say, layer by layer, then their
// defaults.
std::vector<DescribedConfig::Synonym> synonyms_of(const ConfigLayers& layers, const TopicConfigKey& key) {
  std::vector<DescribedConfig::Synonym> all;
  if (layers.topic != nullptr) {
    if (const auto set = layers.topic->find(key.name); set != layers.topic->end()) {
      all.push_back({std::string(key.name), set->second, ConfigSource::kDynamicTopic});
    }
  }
  const auto add_layer = [&](const ConfigMap* layer, ConfigSource source) {
    if (layer == nullptr) return;
    for (const auto& synonym : key.broker_synonyms()) {
      const auto set = layer->find(synonym.name);
      if (set != layer->end()) all.push_back({std::string(synonym.name), set->second, source});
    }
  };
  add_layer(layers.broker, ConfigSource::kDynamicBroker);
  add_layer(layers.cluster, ConfigSource::kDynamicDefaultBroker);
  add_layer(layers.file, ConfigSource::kStaticBroker);
  for (const auto& synonym : key.broker_synonyms()) {
    const BrokerConfigKey* broker_key = find_broker_config(synonym.name);
    if (broker_key == nullptr || !broker_key->default_text) continue;
    all.push_back(
        {std::string(synonym.name), config_text(default_config(*broker_key)), ConfigSource::kDefault});
  }
  return all;
}

}  // namespace

std::vector<DescribedConfig> describe_topic(const ConfigLayers& layers) {
  std::vector<DescribedConfig> all;
  for (const TopicConfigKey& key : controller::topic_config_keys()) {
    if (key.internal) continue;
    auto effective = controller::effective_topic_config(key, layers);
    all.push_back({.name = std::string(key.name),
                   .value = key.is_sensitive() ? std::nullopt : std::move(effective.value),
                   .source = effective.source,
                   .is_read_only = false,
                   .is_sensitive = key.is_sensitive(),
                   .type = key.type,
                   .doc = key.doc,
                   .synonyms = synonyms_of(layers, key)});
  }
  return all;
}

}  // namespace milena::broker
