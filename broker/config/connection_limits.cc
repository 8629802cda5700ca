#include "broker/config/connection_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "broker/config/broker_keys.h"

namespace milena::broker {
namespace {

constexpr std::string_view kMax = "max.connections";
constexpr std::string_view kRate = "max.connection.creation.rate";

template <class Whole>
std::optional<Whole> parse_whole(std::string_view text) {
  text = trimmed(text);
  Whole value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "10.0.0.1:100, 10.0.0.2:200"
std::expected<std::map<std::string, std::size_t>, std::string> read_overrides(const ConfigValues& settings) {
  constexpr std::string_view kKey = "max.connections.per.ip.overrides";
  std::map<std::string, std::size_t> limits;
  for (const std::string& entry : split_config_list(settings.text(kKey))) {
    const auto colon = entry.rfind(':');
    const bool has_address = colon != std::string::npos && colon > 0;
    const auto count = has_address ? parse_whole<std::size_t>(entry.substr(colon + 1)) : std::nullopt;
    if (!count) {
      return std::unexpected(fmt::format("Error parsing configuration property '{}': {}", kKey, entry));
    }
    std::string address(trimmed(std::string_view(entry).substr(0, colon)));
    if (address == "localhost") address = "127.0.0.1";
    limits[std::move(address)] = *count;
  }
  return limits;
}

// listener.name.internal.max.connections is about the listener INTERNAL.
void read_listener_limits(const ConfigValues& settings, ConnectionLimits& limits) {
  constexpr std::string_view kPrefix = "listener.name.";
  for (const auto& [name, text] : settings.set()) {
    std::string_view rest = name;
    if (!rest.starts_with(kPrefix)) continue;
    rest.remove_prefix(kPrefix.size());
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos) continue;
    const std::string_view key = rest.substr(dot + 1);
    if (key != kMax && key != kRate) continue;
    std::string listener(rest.substr(0, dot));
    std::ranges::transform(listener, listener.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    const auto value = parse_config(*find_broker_config(key), text);
    if (!value) continue;  // DynamicConfig and StaticConfig do not let it pass
    const auto number = static_cast<std::size_t>(std::get<std::int64_t>(*value));
    auto& own = limits.by_listener[std::move(listener)];
    (key == kMax ? own.max : own.creation_rate_max) = number;
  }
}

}  // namespace

std::expected<ConnectionLimits, std::string> connection_limits(const ConfigValues& settings,
                                                               std::size_t total_max) {
  const auto number = [&](std::string_view key) { return static_cast<std::size_t>(settings.number(key)); };
  ConnectionLimits limits;
  limits.all.max = std::min(number(kMax), total_max);
  limits.all.creation_rate_max = number(kRate);
  limits.per_ip_max = number("max.connections.per.ip");
  MILENA_TRY(limits.per_ip_overrides, read_overrides(settings));
  read_listener_limits(settings, limits);
  // Kafka measures the rate over all samples of a quota but the one that has begun.
  limits.creation_burst_seconds =
      std::max<std::size_t>(number("quota.window.num") - 1, 1) * number("quota.window.size.seconds");
  return limits;
}

}  // namespace milena::broker
