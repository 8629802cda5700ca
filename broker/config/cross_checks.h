// The checks of values against each other that Kafka makes, when a node starts and when one is changed while
// it runs.
//
// Pure function; any thread. The error is a sentence in Kafka's words.
#pragma once

#include <expected>
#include <string>

#include "broker/config/config_values.h"

namespace milena::broker {

std::expected<void, std::string> check_together(const ConfigValues& settings);

}  // namespace milena::broker
