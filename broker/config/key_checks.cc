#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "broker/config/key.h"
#include "broker/config/listeners.h"

namespace milena::broker::keys {
namespace {

std::string each_member(std::string_view name, const ConfigValue& value,
                        std::string (*check)(std::string_view name, std::string_view member)) {
  const auto* members = std::get_if<std::vector<std::string>>(&value);
  if (members == nullptr) return invalid_config(name, "null", "Value must be non-null");
  for (const std::string& member : *members) {
    if (std::string wrong = check(name, member); !wrong.empty()) return wrong;
  }
  return {};
}

bool is_number(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= 0;
}

}  // namespace

std::string check_gzip_level(std::string_view name, const ConfigValue& value) {
  const auto* level = std::get_if<std::int64_t>(&value);
  if (level == nullptr) return invalid_config(name, "null", "Value must be non-null");
  if (*level == -1 || (*level >= 1 && *level <= 9)) return {};
  return invalid_config(name, std::to_string(*level), "Value must be between 1 and 9 or equal to -1");
}

std::string check_not_empty(std::string_view name, const ConfigValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || !text->empty()) return {};
  return invalid_config(name, "", "String must be non-empty");
}

std::string check_assignors(std::string_view name, const ConfigValue& value) {
  static constexpr std::array<std::string_view, 4> kHere{
      "uniform", "range", "org.apache.kafka.coordinator.group.assignor.UniformAssignor",
      "org.apache.kafka.coordinator.group.assignor.RangeAssignor"};
  const auto* members = std::get_if<std::vector<std::string>>(&value);
  if (members != nullptr && members->empty()) {
    return invalid_config(name, "[]", "Configuration must not be empty");
  }
  return each_member(name, value, [](std::string_view key, std::string_view member) -> std::string {
    if (std::ranges::find(kHere, member) != kHere.end()) return {};
    return invalid_config(key, member, "this version has the assignors uniform and range only");
  });
}

std::string check_voters(std::string_view name, const ConfigValue& value) {
  return each_member(name, value, [](std::string_view key, std::string_view member) -> std::string {
    const auto at = member.find('@');
    if (at == std::string_view::npos || !parse_host_port(member.substr(at + 1))) {
      return fmt::format(
          "Failed to parse host port from entry {} for the configuration {}. Each entry should be in the "
          "form "
          "`{{id}}@{{host}}:{{port}}`.",
          member, key);
    }
    if (!is_number(member.substr(0, at))) {
      return fmt::format("Failed to parse voter ID as an integer from {}", member.substr(0, at));
    }
    return {};
  });
}

std::string check_metrics_listener(std::string_view name, const ConfigValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || text->empty() || parse_host_port(*text)) return {};
  return invalid_config(name, *text, "it is not of the form {host}:{port}");
}

std::string check_bootstrap_servers(std::string_view name, const ConfigValue& value) {
  return each_member(name, value, [](std::string_view key, std::string_view member) -> std::string {
    if (parse_host_port(member)) return {};
    return fmt::format(
        "Failed to parse host port from {} for the configuration {}. Each entry should be in the form "
        "\"{{host}}:{{port}}\"",
        member, key);
  });
}

}  // namespace milena::broker::keys
