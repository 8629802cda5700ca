#include "broker/config/config_values.h"

#include "base/assert.h"
#include "broker/config/broker_keys.h"

namespace milena::broker {

ConfigValue ConfigValues::value(std::string_view name) const {
  const BrokerConfigKey* key = find_broker_config(name);
  MILENA_ASSERT(key != nullptr, "code asks for a configuration that does not exist");
  const auto set = set_.find(name);
  if (set == set_.end()) return default_config(*key);
  auto value = parse_config(*key, set->second);
  MILENA_ASSERT(value, "a value was not checked when it was read");
  return *std::move(value);
}

std::int64_t ConfigValues::number(std::string_view key) const { return std::get<std::int64_t>(value(key)); }
double ConfigValues::real(std::string_view key) const { return std::get<double>(value(key)); }
bool ConfigValues::flag(std::string_view key) const { return std::get<bool>(value(key)); }
std::string ConfigValues::text(std::string_view key) const { return std::get<std::string>(value(key)); }
std::vector<std::string> ConfigValues::list(std::string_view key) const {
  return std::get<std::vector<std::string>>(value(key));
}
bool ConfigValues::is_null(std::string_view key) const {
  return std::holds_alternative<std::monostate>(value(key));
}

std::optional<std::string> ConfigValues::canonical(std::string_view key) const {
  if (find_broker_config(key) != nullptr) return config_text(value(key));
  const auto set = set_.find(key);
  return set == set_.end() ? std::nullopt : std::optional(set->second);
}

}  // namespace milena::broker
