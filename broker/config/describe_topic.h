// What DescribeConfigs tells about a topic: every topic key with its value, where it comes from, and its
// synonyms.
//
// Pure function over the layers, by the rules of Apache Kafka.
#pragma once

#include <vector>

#include "broker/config/describe.h"

namespace milena::broker {

// Every key of topics, sorted by name.
std::vector<DescribedConfig> describe_topic(const ConfigLayers& layers);

}  // namespace milena::broker
