// Coordinators of groups and transactions, ready before a measurement.
#pragma once

#include <cstdint>
#include <string_view>

#include "bench/load/wire_client.h"

namespace milena::bench {

enum class CoordinatorType : std::int8_t { kGroup = 0, kTransaction = 1 };

// Returns when there is a coordinator for `key`, a group or a transactional id. The first question makes the
// broker create the log of that type.
void await_coordinator(WireClient& client, CoordinatorType type, std::string_view key);

// The same, and the coordinator has loaded the group's log.
void await_group(WireClient& client, std::string_view group);

}  // namespace milena::bench
