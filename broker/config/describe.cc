#include "broker/config/describe.h"

#include <algorithm>
#include <set>
#include <utility>

#include "broker/config/broker_keys.h"

namespace milena::broker {
namespace {

using controller::ConfigMap;

// What `name` is in canonical form: the text of its parsed value.
std::optional<std::string> canonical(const BrokerConfigKey* key, const std::string& text) {
  if (key == nullptr) return text;
  const auto value = parse_config(*key, text);
  return value ? config_text(*value) : text;
}

std::optional<std::string> effective_text(const ConfigLayers& layers, std::string_view name,
                                          const BrokerConfigKey* key) {
  for (const ConfigMap* layer : {layers.broker, layers.cluster, layers.file}) {
    if (layer == nullptr) continue;
    if (const auto set = layer->find(name); set != layer->end()) return canonical(key, set->second);
  }
  return key != nullptr ? config_text(default_config(*key)) : std::nullopt;
}

std::vector<DescribedConfig::Synonym> synonyms_of(const ConfigLayers& layers, std::string_view name,
                                                  bool sensitive) {
  std::vector<DescribedConfig::Synonym> all;
  const auto names = broker_config_synonyms(name);
  const auto add_layer = [&](const ConfigMap* layer, ConfigSource source) {
    if (layer == nullptr) return;
    for (std::string_view synonym : names) {
      const auto set = layer->find(synonym);
      if (set == layer->end()) continue;
      all.push_back({std::string(synonym), sensitive ? std::nullopt : std::optional(set->second), source});
    }
  };
  add_layer(layers.broker, ConfigSource::kDynamicBroker);
  add_layer(layers.cluster, ConfigSource::kDynamicDefaultBroker);
  add_layer(layers.file, ConfigSource::kStaticBroker);
  for (std::string_view synonym : names) {
    const BrokerConfigKey* key = find_broker_config(synonym);
    if (key == nullptr || !key->default_text) continue;
    auto text = config_text(default_config(*key));
    all.push_back({std::string(synonym), sensitive ? std::nullopt : std::move(text), ConfigSource::kDefault});
  }
  // Kafka begins at the key that was asked for; what stands before is another key's story.
  const auto first = std::ranges::find(all, name, &DescribedConfig::Synonym::name);
  all.erase(all.begin(), first);
  return all;
}

// What was decided at the start counts as set for this broker.
void correct(DescribedConfig& described, const ValueInForce& value) {
  const bool is_the_default = described.value == value.text;
  described.value = value.text;
  if (!value.counts_as_set || described.source != ConfigSource::kDefault) return;
  described.source = ConfigSource::kStaticBroker;
  if (is_the_default) described.synonyms.clear();  // as in Kafka, where such a key has none
  described.synonyms.insert(described.synonyms.begin(), {described.name, value.text, described.source});
}

}  // namespace

DescribedConfig describe_broker_key(const ConfigLayers& layers, std::string_view name) {
  const BrokerConfigKey* key = find_broker_config(name);
  DescribedConfig described;
  described.name = name;
  described.is_sensitive = key == nullptr || key->is_sensitive();  // an unknown key might hold a secret
  if (!described.is_sensitive) described.value = effective_text(layers, name, key);
  described.is_read_only = key == nullptr || key->update == ConfigUpdate::kReadOnly;
  if (key != nullptr) {
    described.type = key->type;
    described.doc = key->doc;
  }
  described.synonyms = synonyms_of(layers, name, described.is_sensitive);
  if (!described.synonyms.empty()) described.source = described.synonyms.front().source;
  return described;
}

std::vector<DescribedConfig> describe_broker(const ConfigLayers& layers, const InForce& in_force) {
  std::set<std::string_view> names;
  for (const BrokerConfigKey& key : broker_config_keys()) {
    if (!key.internal) names.insert(key.name);
  }
  for (const ConfigMap* layer : {layers.broker, layers.cluster, layers.file}) {
    if (layer == nullptr) continue;
    for (const auto& [name, text] : *layer) names.insert(name);
  }
  std::vector<DescribedConfig> all;
  for (std::string_view name : names) {
    all.push_back(describe_broker_key(layers, name));
    if (const auto told = in_force.find(name); told != in_force.end()) correct(all.back(), told->second);
  }
  return all;
}

std::vector<DescribedConfig> describe_broker_defaults(const ConfigLayers& layers) {
  std::vector<DescribedConfig> all;
  if (layers.cluster == nullptr) return all;
  const ConfigLayers only_defaults{.cluster = layers.cluster};
  for (const auto& [name, text] : *layers.cluster) {
    DescribedConfig described = describe_broker_key(only_defaults, name);
    std::erase_if(described.synonyms,
                  [](auto& synonym) { return synonym.source != ConfigSource::kDynamicDefaultBroker; });
    all.push_back(std::move(described));
  }
  return all;
}

}  // namespace milena::broker
