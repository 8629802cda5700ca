#include "broker/config/static_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
  MILENA_CHECK(config.check_values());  // under the names that were set
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

std::expected<void, std::string> StaticConfig::check_values() const {
  for (const auto& [name, text] : set_) {
    const BrokerConfigKey* key = find_broker_config(name);
    if (key == nullptr) continue;
    if (auto value = parse_config(*key, text); !value) return std::unexpected(std::move(value).error());
  }
  return {};
}

std::expected<void, std::string> StaticConfig::check() {
  MILENA_CHECK(check_values());
  MILENA_CHECK(refuse_what_is_lacking());
  warn_of_unknown();
  warn_of_no_effect();
  return {};
}

std::expected<void, std::string> StaticConfig::refuse_what_is_lacking() const {
  std::vector<std::string> refused;
  for (const auto& [name, text] : set_) {
    if (const auto lacks = lacking_for(name, text)) refused.push_back(fmt::format("{} ({})", name, *lacks));
  }
  if (refused.empty()) return {};
  return std::unexpected(
      fmt::format("this version does not have what the configuration asks for, and would run without it: {}. "
                  "Remove {} to start all the same",
                  fmt::join(refused, ", "), refused.size() == 1 ? "the setting" : "these settings"));
}

void StaticConfig::warn_of_unknown() {
  for (const auto& [name, text] : set_) {
    if (find_broker_config(name) != nullptr || is_ignored_config(name)) continue;
    const auto nearest = nearest_broker_config(name);
    warnings_.push_back(
        nearest ? fmt::format("Unknown configuration {}; did you mean {}?", escaped(name), *nearest)
                : fmt::format("Unknown configuration {}", escaped(name)));
  }
}

void StaticConfig::warn_of_no_effect() {
  std::vector<std::string_view> names;
  for (const auto& [name, text] : set_) {
    const BrokerConfigKey* key = find_broker_config(name);
    if (key == nullptr || key->effect != ConfigEffect::kWithoutEffect) continue;
    if (parse_config(*key, text) != default_config(*key)) names.push_back(name);
  }
  if (names.empty()) return;
  warnings_.push_back(fmt::format("Settings without effect in this version: {}", fmt::join(names, ", ")));
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

}  // namespace milena::broker
