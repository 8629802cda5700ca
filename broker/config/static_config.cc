#include "broker/config/static_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "base/result.h"
#include "broker/config/broker_keys.h"
#include "broker/config/listeners.h"
#include "broker/config/properties.h"

namespace milena::broker {
namespace {

std::string joined(const std::vector<std::string>& members) {
  std::string out;
  for (const std::string& member : members) out += (out.empty() ? "" : ",") + member;
  return out;
}

}  // namespace

std::expected<StaticConfig, std::string> StaticConfig::read(const ConfigSources& sources) {
  StaticConfig config;
  MILENA_CHECK(config.set_all(sources));
  config.derive();
  MILENA_CHECK(config.check());
  if (sources.port) config.set_port(*sources.port);
  return config;
}

std::expected<void, std::string> StaticConfig::set_all(const ConfigSources& sources) {
  auto file = parse_properties(sources.file_text);
  if (!file) return std::unexpected(fmt::format("{}: {}", sources.file_name, file.error()));
  for (auto& [key, text] : *file) set_[key] = text;
  for (auto& [key, text] : read_environment(sources.environment)) set_[key] = text;
  for (const std::string& override_text : sources.overrides) {
    const auto equals = override_text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return std::unexpected(fmt::format("--override wants key=value, not {}", escaped(override_text)));
    }
    set_[std::string(trimmed(override_text.substr(0, equals)))] = override_text.substr(equals + 1);
  }
  if (sources.data) set_["log.dirs"] = *sources.data;
  return {};
}

// What follows from something else that was set.
void StaticConfig::derive() {
  if (is_set("broker.id") && !is_set("node.id")) set_["node.id"] = set_["broker.id"];
  if (is_set("node.id") && !is_set("broker.id")) set_["broker.id"] = set_["node.id"];
  // As Kafka's container images do: listen where clients are told to connect.
  if (is_set("advertised.listeners") && !is_set("listeners")) {
    std::vector<std::string> listeners;
    for (const std::string& advertised : split_config_list(set_["advertised.listeners"])) {
      const auto host = advertised.find("://");
      const auto port = advertised.rfind(':');
      if (host == std::string::npos || port < host + 3) continue;
      listeners.push_back(advertised.substr(0, host + 3) + "0.0.0.0" + advertised.substr(port));
    }
    if (!listeners.empty()) set_["listeners"] = joined(listeners);
  }
}

std::expected<void, std::string> StaticConfig::check() {
  for (const auto& [name, text] : set_) {
    if (const BrokerConfigKey* key = find_broker_config(name); key != nullptr) {
      if (auto value = parse_config(*key, text); !value) return std::unexpected(std::move(value).error());
    } else if (!is_ignored_config(name)) {
      const auto nearest = nearest_broker_config(name);
      warnings_.push_back(
          nearest ? fmt::format("Unknown configuration {}; did you mean {}?", escaped(name), *nearest)
                  : fmt::format("Unknown configuration {}", escaped(name)));
    }
  }
  return {};
}

void StaticConfig::set_port(std::uint16_t port) {
  std::vector<std::string> listeners = list("listeners");
  const std::vector<std::string> controllers = list("controller.listener.names");
  for (std::string& listener : listeners) {
    const auto colon = listener.rfind(':');
    if (colon == std::string::npos ||
        std::ranges::find(controllers, listener.substr(0, listener.find(':'))) != controllers.end()) {
      continue;
    }
    listener = listener.substr(0, colon + 1) + std::to_string(port);
    break;
  }
  set_["listeners"] = joined(listeners);
}

ConfigValue StaticConfig::value(std::string_view name) const {
  const BrokerConfigKey* key = find_broker_config(name);
  MILENA_ASSERT(key != nullptr, "code asks for a configuration that does not exist");
  const auto set = set_.find(name);
  if (set == set_.end()) return default_config(*key);
  auto value = parse_config(*key, set->second);
  MILENA_ASSERT(value, "a value was not checked when it was read");
  return *std::move(value);
}

std::int64_t StaticConfig::number(std::string_view key) const { return std::get<std::int64_t>(value(key)); }
double StaticConfig::real(std::string_view key) const { return std::get<double>(value(key)); }
bool StaticConfig::flag(std::string_view key) const { return std::get<bool>(value(key)); }
std::string StaticConfig::text(std::string_view key) const { return std::get<std::string>(value(key)); }
std::vector<std::string> StaticConfig::list(std::string_view key) const {
  return std::get<std::vector<std::string>>(value(key));
}
bool StaticConfig::is_null(std::string_view key) const {
  return std::holds_alternative<std::monostate>(value(key));
}

}  // namespace milena::broker
