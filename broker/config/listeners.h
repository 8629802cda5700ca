// Where a node listens and what it tells clients: listeners, advertised.listeners and the protocols they
// speak.
//
// Pure functions, by Kafka's rules and with Kafka's error texts. Deviation: an advertised 0.0.0.0, which
// Kafka refuses, counts as not given.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace milena::broker {

enum class SecurityProtocol : std::int16_t { kPlaintext = 0, kSsl = 1, kSaslPlaintext = 2, kSaslSsl = 3 };

std::string_view to_string(SecurityProtocol protocol);

struct ListenerConfig {
  std::string name;  // in upper case
  std::string host;  // empty: every address
  std::uint16_t port = 0;
  SecurityProtocol protocol = SecurityProtocol::kPlaintext;
  bool for_controllers = false;
  // What clients of this listener are told; without a host, the address by which they came.
  std::optional<std::string> advertised_host;
  std::uint16_t advertised_port = 0;  // 0: the port that it listens on

  bool operator==(const ListenerConfig&) const = default;
};

struct ListenerSettings {
  std::vector<std::string> listeners;
  std::optional<std::vector<std::string>> advertised;
  std::string protocol_map;
  bool protocol_map_is_default = true;
  std::vector<std::string> controller_names;
};

// The listeners in the order they are written. The error is a sentence.
std::expected<std::vector<ListenerConfig>, std::string> parse_listeners(const ListenerSettings& settings);

// "host:9092" or "[::1]:9092".
std::optional<std::pair<std::string, std::uint16_t>> parse_host_port(std::string_view text);

}  // namespace milena::broker
