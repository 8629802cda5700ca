#include "broker/coordinators/internal_topics.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

namespace milena::broker {

bool is_internal_topic(std::string_view name) {
  return name == kOffsetsTopic || name == kTransactionsTopic || name == kShareStateTopic;
}

namespace {

using Topic = protocol::CreateTopicsRequest::CreatableTopic;

// `prefix`: of the keys that say how many partitions and replicas it gets.
Topic state_topic(std::string_view name, const std::string& prefix, const StaticConfig& settings,
                  std::size_t brokers) {
  Topic topic;
  topic.name = name;
  topic.num_partitions = static_cast<std::int32_t>(settings.number(prefix + "num.partitions"));
  topic.replication_factor = static_cast<std::int16_t>(std::min<std::int64_t>(
      settings.number(prefix + "replication.factor"), static_cast<std::int64_t>(brokers)));
  return topic;
}

void set_configs(Topic& topic, std::initializer_list<std::pair<std::string_view, std::string>> configs,
                 Arena& arena) {
  topic.configs = arena.array<Topic::CreatableTopicConfig>(configs.size());
  std::ranges::transform(configs, topic.configs.begin(), [&](const auto& config) {
    return Topic::CreatableTopicConfig{.name = config.first, .value = arena.text(config.second)};
  });
}

}  // namespace

std::optional<Topic> internal_topic(std::string_view name, const StaticConfig& settings,
                                    const controller::MetadataImage& image, Arena& arena) {
  const auto brokers = static_cast<std::size_t>(
      std::ranges::count_if(image.brokers, [](const auto& each) { return each.value->is_active(); }));
  if (name == kOffsetsTopic) {
    Topic topic = state_topic(name, "offsets.topic.", settings, brokers);
    set_configs(topic,
                {{"cleanup.policy", "compact"},
                 {"compression.type", "producer"},
                 {"segment.bytes", std::to_string(settings.number("offsets.topic.segment.bytes"))}},
                arena);
    return topic;
  }
  if (name == kTransactionsTopic) {
    Topic topic = state_topic(name, "transaction.state.log.", settings, brokers);
    const auto min_isr =
        std::min<std::int64_t>(settings.number("transaction.state.log.min.isr"), topic.replication_factor);
    set_configs(topic,
                {{"cleanup.policy", "compact"},
                 {"compression.type", "uncompressed"},
                 {"unclean.leader.election.enable", "false"},
                 {"min.insync.replicas", std::to_string(min_isr)},
                 {"segment.bytes", std::to_string(settings.number("transaction.state.log.segment.bytes"))}},
                arena);
    return topic;
  }
  return std::nullopt;
}

}  // namespace milena::broker
