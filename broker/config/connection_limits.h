// The limits on connections, from Kafka's keys: max.connections, max.connections.per.ip and its overrides,
// max.connection.creation.rate, and the two of them that a listener may have of its own
// (listener.name.NAME.max.connections).
//
// Pure function; any thread. The error is a sentence in Kafka's words.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "broker/config/config_values.h"
#include "broker/net/limits.h"

namespace milena::broker {

// `total_max`: what the machine has descriptors for, whatever max.connections says.
std::expected<ConnectionLimits, std::string> connection_limits(const ConfigValues& settings,
                                                               std::size_t total_max);

}  // namespace milena::broker
