// The configuration that a node is started with: built-in defaults < server.properties < environment < flags.
//
// Nothing is required. A value that its key does not take is an error, a sentence in Kafka's words; an
// unknown key is a warning that names the nearest known one.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_def.h"
#include "broker/config/environment.h"
#include "controller/config/config_resource.h"

namespace milena::broker {

using controller::ConfigMap;

struct ConfigSources {
  std::string file_name{};               // for messages
  std::string file_text{};               // of server.properties; empty when there is none
  std::vector<NamedText> environment{};  // variables
  std::vector<std::string> overrides{};  // --override key=value; the last one of a key counts
  std::optional<std::uint16_t> port{};   // --port: of the first listener for clients
  std::optional<std::string> data{};     // --data: log.dirs
};

class StaticConfig {
 public:
  static std::expected<StaticConfig, std::string> read(const ConfigSources& sources);

  // What was set, and only that: the STATIC_BROKER_CONFIG layer. Has unknown keys, too.
  const ConfigMap& set() const { return set_; }
  bool is_set(std::string_view key) const { return set_.contains(key); }
  const std::vector<std::string>& warnings() const { return warnings_; }

  // Values of known keys, set or default. Asking with the wrong type, or for a null, is a bug and aborts.
  std::int64_t number(std::string_view key) const;
  double real(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::string text(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;
  bool is_null(std::string_view key) const;

 private:
  ConfigValue value(std::string_view key) const;
  std::expected<void, std::string> set_all(const ConfigSources& sources);
  void set_port(std::uint16_t port);
  void derive();
  std::expected<void, std::string> check();

  ConfigMap set_;
  std::vector<std::string> warnings_;
};

}  // namespace milena::broker
