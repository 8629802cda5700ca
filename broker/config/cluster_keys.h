// The keys of server.properties that place a node in a cluster: process.roles, controller.quorum.voters and
// controller.quorum.bootstrap.servers.
//
// Pure function; any thread. This version runs a node that is broker, controller and the only voter of its
// quorum. A configuration that names other nodes is an error, never a cluster of one that nobody asked for.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config/listeners.h"
#include "broker/config/static_config.h"

namespace milena::broker {

// Whether a host name or address leads to this machine. May ask the system's resolver.
using IsThisMachine = std::function<bool(std::string_view host)>;
// The names that do so without a resolver.
bool is_loopback(std::string_view host);

// The error is one sentence that names the key and what to do.
std::expected<void, std::string> check_cluster_keys(const StaticConfig& settings,
                                                    const std::vector<ListenerConfig>& listeners,
                                                    const IsThisMachine& is_this_machine);

}  // namespace milena::broker
