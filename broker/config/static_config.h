// The configuration that a node is started with: built-in defaults < server.properties < environment < flags.
// Its set() is the layer that DescribeConfigs calls STATIC_BROKER_CONFIG.
//
// Nothing is required. A value that its key does not take is an error, a sentence in Kafka's words; so is a
// setting that asks for protection or policy that is not here. An unknown key is a warning that names the
// nearest known one, and one more warning lists the keys that have no effect.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config/config_values.h"
#include "broker/config/environment.h"

namespace milena::broker {

struct ConfigSources {
  std::string file_name{};               // for messages
  std::string file_text{};               // of server.properties; empty when there is none
  std::vector<NamedText> environment{};  // variables
  std::vector<std::string> overrides{};  // --override key=value; the last one of a key counts
  std::optional<std::uint16_t> port{};   // --port: of the first listener for clients
  std::optional<std::string> data{};     // --data: log.dirs
};

class StaticConfig : public ConfigValues {
 public:
  static std::expected<StaticConfig, std::string> read(const ConfigSources& sources);

  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::expected<void, std::string> set_all(const ConfigSources& sources);
  void set_port(std::uint16_t port);
  void derive();
  std::expected<void, std::string> check();
  std::expected<void, std::string> check_values() const;
  std::expected<void, std::string> refuse_what_is_lacking() const;
  void warn_of_unknown();
  void warn_of_no_effect();

  std::vector<std::string> warnings_;
};

}  // namespace milena::broker
