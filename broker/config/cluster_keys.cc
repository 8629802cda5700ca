#include "broker/config/cluster_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/result.h"

namespace milena::broker {
namespace {

using Check = std::expected<void, std::string>;

constexpr std::string_view kOneNode =
    "this version runs a single node that is broker, controller and the only voter of its quorum";

bool is_every_address(std::string_view host) { return host.empty() || host == "0.0.0.0" || host == "::"; }

Check check_roles(const StaticConfig& settings) {
  const std::vector<std::string> roles = settings.list("process.roles");
  if (std::set(roles.begin(), roles.end()) == std::set<std::string>{"broker", "controller"}) return {};
  return std::unexpected(
      fmt::format("process.roles is {}, but {}: set process.roles=broker,controller or leave the key out",
                  fmt::join(roles, ","), kOneNode));
}

Check check_voters(const StaticConfig& settings) {
  const std::vector<std::string> voters = settings.list("controller.quorum.voters");
  const std::int64_t self = settings.number("node.id");
  std::vector<std::int64_t> ids;
  for (const std::string& voter : voters) ids.push_back(std::stoll(voter));  // what its rule has checked
  if (ids.empty() || ids == std::vector{self}) return {};
  return std::unexpected(fmt::format(
      "controller.quorum.voters names the node{} {}, but {}, node.id {}: name only that one or leave the key "
      "out",
      ids.size() == 1 ? "" : "s", fmt::join(ids, ", "), kOneNode, self));
}

// Whether `host` is where `listener` can be reached.
bool leads_to(const ListenerConfig& listener, std::string_view host, const IsThisMachine& is_this_machine) {
  if (host == listener.host || host == listener.advertised_host) return true;
  if (is_every_address(listener.host)) return is_every_address(host) || is_this_machine(host);
  return is_this_machine(listener.host) && is_this_machine(host);
}

Check check_bootstrap(const StaticConfig& settings, const std::vector<ListenerConfig>& listeners,
                      const IsThisMachine& is_this_machine) {
  const std::vector<std::string> servers = settings.list("controller.quorum.bootstrap.servers");
  if (servers.empty()) return {};
  if (servers.size() == 1) {
    const auto address = parse_host_port(servers.front());
    const bool is_own = std::ranges::any_of(listeners, [&](const ListenerConfig& listener) {
      const bool same_port = listener.port == address->second || listener.advertised_port == address->second;
      return listener.for_controllers && same_port && leads_to(listener, address->first, is_this_machine);
    });
    if (is_own) return {};
  }
  return std::unexpected(fmt::format(
      "controller.quorum.bootstrap.servers is {}, but {}: name only a listener of this node that is listed "
      "in both listeners and controller.listener.names, or leave the key out",
      fmt::join(servers, ","), kOneNode));
}

}  // namespace

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Check check_cluster_keys(const StaticConfig& settings, const std::vector<ListenerConfig>& listeners,
                         const IsThisMachine& is_this_machine) {
  MILENA_CHECK(check_roles(settings));
  MILENA_CHECK(check_voters(settings));
  return check_bootstrap(settings, listeners, is_this_machine);
}

}  // namespace milena::broker
