// ConfigValues: settings by name, and what a known key is worth: as it is set, or its default.
//
// A value: copied freely, immutable once made. Every text of a known key in it has been checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_def.h"
#include "controller/config/config_resource.h"

namespace milena::broker {

using controller::ConfigMap;

class ConfigValues {
 public:
  ConfigValues() = default;
  // A known key must take its text: parse_config().
  explicit ConfigValues(ConfigMap set) : set_(std::move(set)) {}

  // What was set, and only that. Has unknown keys, too.
  const ConfigMap& set() const { return set_; }
  bool is_set(std::string_view key) const { return set_.contains(key); }

  // Values of known keys, set or default. Asking with the wrong type, or for a null, is a bug and aborts.
  std::int64_t number(std::string_view key) const;
  double real(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::string text(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;
  bool is_null(std::string_view key) const;

  // In canonical form: what Kafka prints for it. nullopt for a null, and for a key that is unknown and not
  // set.
  std::optional<std::string> canonical(std::string_view key) const;

 protected:
  ConfigMap set_;

 private:
  ConfigValue value(std::string_view key) const;
};

}  // namespace milena::broker
