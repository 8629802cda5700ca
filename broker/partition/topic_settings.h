// TopicSettings: what a topic's effective configuration means to its partitions.
//
// Immutable; shared by the partitions of a topic and swapped as a whole when the configuration changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "controller/config/topic_configs.h"
#include "protocol/record_batch_validator.h"
#include "storage/log_config.h"

namespace milena::broker {

struct TopicSettings {
  protocol::BatchRules batch_rules;      // produce_version is the request's and filled in per request
  std::optional<int> compression_level;  // of batch_rules.compression; none: the codec's standard
  std::shared_ptr<const storage::LogConfig> log = std::make_shared<storage::LogConfig>();
};

// From the topic's own configuration and the layers below it.
std::shared_ptr<const TopicSettings> topic_settings(const controller::ConfigLayers& layers);

}  // namespace milena::broker
