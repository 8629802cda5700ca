#include "broker/config/environment.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "broker/config/broker_keys.h"

namespace milena::broker {
namespace {

constexpr std::array<std::string_view, 15> kForTheJvm{"KAFKA_VERSION",
                                                      "KAFKA_HEAP_OPTS",
                                                      "KAFKA_LOG4J_OPTS",
                                                      "KAFKA_OPTS",
                                                      "KAFKA_JMX_OPTS",
                                                      "KAFKA_JMX_PORT",
                                                      "KAFKA_JMX_HOSTNAME",
                                                      "KAFKA_GC_LOG_OPTS",
                                                      "KAFKA_HOME",
                                                      "KAFKA_DEBUG",
                                                      "KAFKA_LOG4J_LOGGERS",
                                                      "KAFKA_TOOLS_LOG4J_LOGLEVEL",
                                                      "KAFKA_JVM_PERFORMANCE_OPTS",
                                                      "KAFKA_JAVA_DEBUG_OPTS",
                                                      "KAFKA_CLASSPATH"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kRenamed{
    {{"CLUSTER_ID", "milena.cluster.id"},
     {"KAFKA_CLUSTER_ID", "milena.cluster.id"},
     {"KAFKA_KRAFT_CLUSTER_ID", "milena.cluster.id"},
     {"KAFKA_LOG4J_ROOT_LOGLEVEL", "milena.log.level"}}};

std::string key_of(std::string_view variable) {
  std::string key;
  for (std::size_t i = 0; i < variable.size();) {
    const std::size_t end = std::min(variable.find_first_not_of('_', i), variable.size());
    switch (end - i) {
      case 0: {
        const char c = variable[i++];
        key += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        continue;
      }
      case 1:
        key += '.';
        break;
      case 2:
        key += '_';
        break;
      default:
        key += '-';
        break;
    }
    i += std::min<std::size_t>(end - i, 3);
  }
  return key;
}

// KAFKA_SERVICE_HOST, KAFKA_PORT_9092_TCP_ADDR, KAFKA_UI_PORT: made for the neighbours of a service.
bool is_service_link(std::string_view variable) {
  return variable.find("_SERVICE_") != std::string_view::npos ||
         variable.find("_TCP") != std::string_view::npos || variable.ends_with("_PORT") ||
         variable.find("_PORT_") != std::string_view::npos;
}

std::optional<std::string> setting_of(std::string_view variable, std::string_view value) {
  for (const auto& [name, key] : kRenamed) {
    if (variable == name) return std::string(key);
  }
  if (!variable.starts_with("KAFKA_") || std::ranges::find(kForTheJvm, variable) != kForTheJvm.end())
    return std::nullopt;
  const bool is_cfg = variable.starts_with("KAFKA_CFG_");
  std::string key = key_of(variable.substr(is_cfg ? 10 : 6));
  if (value.starts_with("tcp://")) return std::nullopt;
  if (find_broker_config(key) == nullptr && is_service_link(variable)) return std::nullopt;
  return key;
}

}  // namespace

std::vector<NamedText> read_environment(const std::vector<NamedText>& variables) {
  std::map<std::string, std::string> settings;
  for (const bool cfg : {true, false}) {
    for (const auto& [variable, value] : variables) {
      if (variable.starts_with("KAFKA_CFG_") != cfg) continue;
      if (auto key = setting_of(variable, value)) settings[*std::move(key)] = value;
    }
  }
  return {settings.begin(), settings.end()};
}

}  // namespace milena::broker
