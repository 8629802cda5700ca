// What configuration belongs to, and how it is stored: text by name, per resource.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace milena::controller {

// Absent is "not set here".
using ConfigMap = std::map<std::string, std::string, std::less<>>;

// The numbers are those of the wire and of ConfigRecord.
enum class ConfigResourceType : std::int8_t {
  kUnknown = 0,
  kTopic = 2,
  kBroker = 4,
  kBrokerLogger = 8,
  kClientMetrics = 16,
  kGroup = 32,
};

// A view of a resource, to look one up by. The broker resource "" is the default of all brokers.
struct ConfigResourceView {
  ConfigResourceType type = ConfigResourceType::kUnknown;
  std::string_view name;
  auto operator<=>(const ConfigResourceView&) const = default;
};

struct ConfigResource {
  ConfigResourceType type = ConfigResourceType::kUnknown;
  std::string name;
  operator ConfigResourceView() const { return {type, name}; }  // NOLINT(google-explicit-constructor)
  auto operator<=>(const ConfigResource&) const = default;
};

struct ConfigResourceLess {
  using is_transparent = void;
  bool operator()(const ConfigResourceView& a, const ConfigResourceView& b) const { return a < b; }
};

}  // namespace milena::controller
