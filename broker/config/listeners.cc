#include "broker/config/listeners.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/config_def.h"
#include "base/result.h"

namespace milena::broker {
namespace {

constexpr std::array<std::string_view, 4> kProtocolNames{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::optional<SecurityProtocol> protocol_named(std::string_view name) {
  const auto at = std::ranges::find(kProtocolNames, upper(name));
  if (at == kProtocolNames.end()) return std::nullopt;
  return static_cast<SecurityProtocol>(at - kProtocolNames.begin());
}

bool is_host_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-%._:").find(c) != std::string_view::npos;
}

struct Endpoint {
  std::string name;
  std::string host;
  std::uint16_t port = 0;
};

std::expected<Endpoint, std::string> parse_endpoint(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme != std::string_view::npos) {
    if (const auto address = parse_host_port(text.substr(scheme + 3))) {
      return Endpoint{upper(text.substr(0, scheme)), address->first, address->second};
    }
  }
  return std::unexpected(fmt::format("Unable to parse {} to a broker endpoint", text));
}

std::expected<std::vector<Endpoint>, std::string> parse_endpoints(const std::vector<std::string>& texts,
                                                                  bool distinct_ports) {
  std::vector<Endpoint> endpoints;
  for (const std::string& text : texts) {
    if (text.empty()) continue;  // a comma too many
    MILENA_TRY(Endpoint endpoint, parse_endpoint(text));
    for (const Endpoint& other : endpoints) {
      const char* what = nullptr;
      if (other.name == endpoint.name) what = "name";
      // The same port on an IPv4 and an IPv6 address is fine.
      const bool one_is_v6 =
          (other.host.find(':') == std::string::npos) != (endpoint.host.find(':') == std::string::npos);
      if (distinct_ports && endpoint.port != 0 && other.port == endpoint.port && !one_is_v6) what = "port";
      if (what != nullptr) {
        return std::unexpected(fmt::format("Each listener must have a different {}, listeners: {}", what,
                                           fmt::join(texts, ",")));
      }
    }
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

using ProtocolMap = std::map<std::string, SecurityProtocol>;

std::expected<ProtocolMap, std::string> parse_protocol_map(const ListenerSettings& settings) {
  ProtocolMap map;
  for (const std::string& entry : split_config_list(settings.protocol_map)) {
    if (entry.empty()) continue;
    const auto colon = entry.rfind(':');
    const auto protocol = colon == std::string::npos
                              ? std::nullopt
                              : protocol_named(trimmed(std::string_view(entry).substr(colon + 1)));
    if (!protocol) {
      return std::unexpected(
          fmt::format("Invalid security protocol `{}` defined in listener.security.protocol.map",
                      colon == std::string::npos ? entry : entry.substr(colon + 1)));
    }
    map[upper(trimmed(std::string_view(entry).substr(0, colon)))] = *protocol;
  }
  if (settings.protocol_map_is_default) {  // controllers then speak PLAINTEXT without being mapped
    for (const std::string& name : settings.controller_names)
      map.try_emplace(upper(name), SecurityProtocol::kPlaintext);
  }
  return map;
}

}  // namespace

std::string_view to_string(SecurityProtocol protocol) {
  return kProtocolNames[static_cast<std::size_t>(protocol)];
}

std::optional<std::pair<std::string, std::uint16_t>> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!std::ranges::all_of(host, is_host_char)) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return std::pair{std::string(host), port};
}

std::expected<std::vector<ListenerConfig>, std::string> parse_listeners(const ListenerSettings& settings) {
  const auto in_context = [](const std::vector<std::string>& texts, std::string_view why) {
    return std::unexpected(
        fmt::format("Error creating broker listeners from '{}': {}", fmt::join(texts, ","), why));
  };
  MILENA_TRY(const ProtocolMap protocols, parse_protocol_map(settings));
  const auto endpoints = parse_endpoints(settings.listeners, true);
  if (!endpoints) return in_context(settings.listeners, endpoints.error());

  std::vector<ListenerConfig> listeners;
  for (const Endpoint& endpoint : *endpoints) {
    const auto protocol = protocols.find(endpoint.name);
    if (protocol == protocols.end()) {
      return in_context(settings.listeners,
                        fmt::format("No security protocol defined for listener {}", endpoint.name));
    }
    ListenerConfig& listener = listeners.emplace_back();
    listener.name = endpoint.name;
    listener.host = endpoint.host;
    listener.port = endpoint.port;
    listener.protocol = protocol->second;
    listener.for_controllers = std::ranges::any_of(
        settings.controller_names, [&](const std::string& name) { return upper(name) == endpoint.name; });
  }
  if (std::ranges::all_of(listeners, &ListenerConfig::for_controllers)) {
    return std::unexpected(
        "There must be at least one broker advertised listener. Perhaps all listeners appear in "
        "controller.listener.names?");
  }

  if (!settings.advertised) return listeners;
  const auto advertised = parse_endpoints(*settings.advertised, false);
  if (!advertised) return in_context(*settings.advertised, advertised.error());
  for (const Endpoint& endpoint : *advertised) {
    const auto listener = std::ranges::find(listeners, endpoint.name, &ListenerConfig::name);
    if (listener == listeners.end()) {
      std::vector<std::string_view> names;
      for (const ListenerConfig& known : listeners) names.push_back(known.name);
      return std::unexpected(
          fmt::format("advertised.listeners listener names must be equal to or a subset of the ones defined "
                      "in listeners. "
                      "Found {}. The valid options based on the current configuration are {}",
                      endpoint.name, fmt::join(names, ",")));
    }
    if (!endpoint.host.empty() && endpoint.host != "0.0.0.0" && endpoint.host != "::") {
      listener->advertised_host = endpoint.host;
    }
    listener->advertised_port = endpoint.port;
  }
  return listeners;
}

}  // namespace milena::broker
