#include "broker/config/describe_topic.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace milena::broker {
namespace {

using controller::TopicConfigKey;

// The topic's own value, then what the broker's key of the same meaning says, layer by layer, then its
// default.
std::vector<DescribedConfig::Synonym> synonyms_of(const ConfigLayers& layers, const TopicConfigKey& key) {
  std::vector<DescribedConfig::Synonym> all;
  if (layers.topic != nullptr) {
    if (const auto set = layers.topic->find(key.name); set != layers.topic->end()) {
      all.push_back({std::string(key.name), set->second, ConfigSource::kDynamicTopic});
    }
  }
  if (key.broker_synonyms().empty()) return all;
  // Kafka asks for the first of the broker's keys; what that one tells about itself is the rest of the list.
  auto inherited = describe_broker_key(layers, key.broker_synonyms().front().name).synonyms;
  std::ranges::move(inherited, std::back_inserter(all));
  return all;
}

}  // namespace

std::vector<DescribedConfig> describe_topic(const ConfigLayers& layers) {
  std::vector<DescribedConfig> all;
  for (const TopicConfigKey& key : controller::topic_config_keys()) {
    if (key.internal) continue;
    auto synonyms = synonyms_of(layers, key);
    auto effective = controller::effective_topic_config(key, layers);
    all.push_back({.name = std::string(key.name),
                   .value = key.is_sensitive() ? std::nullopt : std::move(effective.value),
                   .source = synonyms.empty() ? ConfigSource::kDefault : synonyms.front().source,
                   .is_read_only = false,
                   .is_sensitive = key.is_sensitive(),
                   .type = key.type,
                   .doc = key.doc,
                   .synonyms = std::move(synonyms)});
  }
  return all;
}

}  // namespace milena::broker
