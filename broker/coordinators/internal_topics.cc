#include "broker/coordinators/internal_topics.h"

#include <algorithm>
#include <string>

namespace milena::broker {

bool is_internal_topic(std::string_view name) {
  return name == kOffsetsTopic || name == kTransactionsTopic || name == kShareStateTopic;
}

std::optional<protocol::CreateTopicsRequest::CreatableTopic> internal_topic(std::string_view name,
                                                                            const StaticConfig& settings,
                                                                            std::size_t brokers,
                                                                            Arena& arena) {
  using Topic = protocol::CreateTopicsRequest::CreatableTopic;
  if (name != kOffsetsTopic) return std::nullopt;
  Topic topic;
  topic.name = kOffsetsTopic;
  topic.num_partitions = static_cast<std::int32_t>(settings.number("offsets.topic.num.partitions"));
  topic.replication_factor = static_cast<std::int16_t>(std::min<std::int64_t>(
      settings.number("offsets.topic.replication.factor"), static_cast<std::int64_t>(brokers)));
  topic.configs = arena.array<Topic::CreatableTopicConfig>(3);
  topic.configs[0] = {.name = "cleanup.policy", .value = "compact"};
  topic.configs[1] = {.name = "compression.type", .value = "producer"};
  topic.configs[2] = {.name = "segment.bytes",
                      .value = arena.text(std::to_string(settings.number("offsets.topic.segment.bytes")))};
  return topic;
}

}  // namespace milena::broker
