// What is in force where a setting alone does not tell: what the start decided (ports, the machine's limits)
// and what one key says under the name of another.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "broker/config/broker_config.h"
#include "broker/config/config_values.h"

namespace milena::broker {

struct ValueInForce {
  std::string text;
  // The broker is what this says: as good as set in server.properties. Otherwise it is a default that the
  // machine bounds.
  bool counts_as_set = false;
};

// By the name of the key.
using InForce = std::map<std::string, ValueInForce, std::less<>>;

// `client_ports`: where the listeners for clients listen, in their order. `now`: the settings in force.
InForce values_in_force(const BrokerConfig& config, std::span<const std::uint16_t> client_ports,
                        const ConfigValues& now);

}  // namespace milena::broker
