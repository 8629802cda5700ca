// KAFKA_* variables as configuration, by the rules of Kafka's container images.
//
// KAFKA_LOG_DIRS is log.dirs: without the prefix, in lower case, '_' is '.', "__" is '_', "___" is '-'.
// KAFKA_CFG_LOG_DIRS means the same. CLUSTER_ID and KAFKA_CLUSTER_ID are milena.cluster.id,
// KAFKA_LOG4J_ROOT_LOGLEVEL is milena.log.level. Variables for the JVM, and those that Kubernetes and Docker
// make up for a service that happens to be called "kafka", are no configuration.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace milena::broker {

// Name and value of a variable; name and text of a key.
using NamedText = std::pair<std::string, std::string>;

// Sorted by key. Of two variables for one key, KAFKA_X wins over KAFKA_CFG_X.
std::vector<NamedText> read_environment(const std::vector<NamedText>& variables);

}  // namespace milena::broker
