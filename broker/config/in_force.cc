#include "broker/config/in_force.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace milena::broker {
namespace {

std::string written(std::string_view name, std::string_view host, std::uint16_t port) {
  const bool is_v6 = host.contains(':');
  return fmt::format("{}://{}{}{}:{}", name, is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

struct Addresses {
  std::vector<std::string> listeners;
  std::vector<std::string> advertised;
};

// Clients of a listener without a host are told the address by which they came: it is written without one.
Addresses addresses(const BrokerConfig& config, std::span<const std::uint16_t> client_ports) {
  Addresses all;
  std::size_t client = 0;
  for (const ListenerConfig& listener : config.listeners) {
    const std::uint16_t port = listener.for_controllers ? listener.port : client_ports[client++];
    all.listeners.push_back(written(listener.name, listener.host, port));
    if (listener.for_controllers) continue;
    const bool any = listener.host == "0.0.0.0" || listener.host == "::";
    const std::string host = listener.advertised_host.value_or(any ? "" : listener.host);
    all.advertised.push_back(
        written(listener.name, host, listener.advertised_port != 0 ? listener.advertised_port : port));
  }
  return all;
}

}  // namespace

InForce values_in_force(const BrokerConfig& config, std::span<const std::uint16_t> client_ports,
                        const ConfigValues& now) {
  const auto [listeners, advertised] = addresses(config, client_ports);
  const auto set = [](std::string text) { return ValueInForce{std::move(text), true}; };
  const auto bounded = [](auto number) { return ValueInForce{std::to_string(number), false}; };
  const std::string node = std::to_string(config.node_id.value);
  const auto limit = [&](std::string_view key) {
    return std::min(static_cast<std::size_t>(now.number(key)), config.connections_cap);
  };
  return {{"node.id", set(node)},
          {"broker.id", set(node)},
          {"listeners", set(fmt::format("{}", fmt::join(listeners, ",")))},
          {"advertised.listeners", set(fmt::format("{}", fmt::join(advertised, ",")))},
          {"log.dirs", set(fmt::format("{}", fmt::join(config.log_dirs, ",")))},
          {"num.network.threads", bounded(config.network_threads)},
          {"max.connections", bounded(limit("max.connections"))},
          {"queued.max.request.bytes", bounded(config.net.request_bytes_max)},
          {"socket.send.buffer.bytes", bounded(config.net.send_buffer_bytes)},
          {"socket.receive.buffer.bytes", bounded(config.net.receive_buffer_bytes)},
          {"socket.listen.backlog.size", bounded(config.net.backlog)},
          {"group.consumer.assignment.interval.ms",
           bounded(now.number("group.consumer.assignment.interval.ms"))}};
}

}  // namespace milena::broker
