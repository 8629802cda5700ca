#include "controller/decisions/config_changes.h"

#include <fmt/core.h>

#include <charconv>
#include <limits>
#include <system_error>
#include <utility>
#include <variant>

#include "controller/decisions/topic_names.h"

namespace milena::controller {
namespace {

constexpr std::size_t kMaxValueBytes = std::numeric_limits<std::int16_t>::max();
constexpr std::string_view kCordonedLogDirs = "cordoned.log.dirs";

Decided<void> check_min_isr(const DecisionContext& context, const ConfigResource& resource, bool deletes) {
  if (resource.type != ConfigResourceType::kBroker || !elr_enabled(context.image)) return {};
  if (!resource.name.empty()) {
    return refuse(ErrorCode::kInvalidConfig,
                  "Broker-level min.insync.replicas cannot be altered while ELR is enabled.");
  }
  if (deletes) {
    return refuse(ErrorCode::kInvalidConfig,
                  "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.");
  }
  return {};
}

Decided<void> check_edit(const DecisionContext& context, const ConfigResource& resource,
                         std::string_view name, const std::optional<std::string>& value) {
  if (name == kMinInsyncReplicas) MILENA_CHECK(check_min_isr(context, resource, !value));
  if (name == kCordonedLogDirs && resource.type == ConfigResourceType::kBroker &&
      context.image.metadata_version() < kMetadataVersion43Iv0) {
    return refuse(
        ErrorCode::kInvalidConfig,
        "The cordoned.log.dirs configuration value cannot be set because it requires metadata.version >= "
        "4.3-IV0");
  }
  if (value && value->size() > kMaxValueBytes) {
    return refuse(
        ErrorCode::kInvalidConfig,
        fmt::format("The configuration value cannot be added because it exceeds the maximum value size of {} "
                    "bytes.",
                    kMaxValueBytes));
  }
  return {};
}

Decided<void> check_topic(const DecisionContext& context, const ConfigResource& resource, ConfigMap& result) {
  if (resource.name.empty()) {
    return refuse(ErrorCode::kInvalidRequest, "Default topic resources are not allowed.");
  }
  if (auto complaint = topic_name_error(resource.name)) {
    return refuse(ErrorCode::kInvalidTopicException, *std::move(complaint));
  }
  if (auto complaint = check_topic_configs(topic_layers(context, &result))) {
    return refuse(ErrorCode::kInvalidConfig, *std::move(complaint));
  }
  return {};
}

Decided<void> check_broker_name(const std::string& name) {
  if (name.empty()) return {};
  std::int32_t id = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), id);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) {
    return refuse(ErrorCode::kInvalidRequest, "Unable to parse broker name as a base 10 number.");
  }
  if (id < 0) return refuse(ErrorCode::kInvalidRequest, "Invalid negative broker ID.");
  return {};
}

Decided<void> check_result(const DecisionContext& context, const ConfigResource& resource, ConfigMap result,
                           const ConfigEdits& edits) {
  if (resource.type == ConfigResourceType::kTopic) return check_topic(context, resource, result);
  if (resource.type == ConfigResourceType::kBroker) MILENA_CHECK(check_broker_name(resource.name));
  if (context.settings.check_config) return context.settings.check_config(resource, result, edits);
  return {};
}

}  // namespace

bool is_list_config(const DecisionContext& context, ConfigResourceType type, std::string_view name) {
  const ConfigKey* key = nullptr;
  if (type == ConfigResourceType::kTopic) {
    key = find_topic_config(name);
  } else if (context.settings.find_config) {
    key = context.settings.find_config(type, name);
  }
  return key != nullptr && key->type == ConfigType::kList;
}

Decided<std::vector<MetadataRecord>> config_records(const DecisionContext& context,
                                                    const ConfigResource& resource, const ConfigMap& current,
                                                    const ConfigEdits& edits) {
  ConfigMap result = current;
  // A topic may still hold a key of an older version that no longer exists; that must not block new changes.
  if (resource.type == ConfigResourceType::kTopic) {
    std::erase_if(result, [](const auto& entry) { return find_topic_config(entry.first) == nullptr; });
  }
  std::vector<MetadataRecord> records;
  for (const auto& [name, value] : edits) {
    const auto before = current.find(name);
    const bool unchanged = before == current.end() ? !value : value == before->second;
    // Writing a broker's value again makes the broker load it again (KAFKA-14136).
    if (unchanged && resource.type != ConfigResourceType::kBroker) continue;
    MILENA_CHECK(check_edit(context, resource, name, value));
    if (value) {
      result.insert_or_assign(name, *value);
    } else {
      result.erase(name);
    }
    records.push_back({.body = protocol::ConfigRecord{
                           .resource_type = static_cast<std::int8_t>(resource.type),
                           .resource_name = context.arena.text(resource.name),
                           .name = context.arena.text(name),
                           .value = value ? std::optional(context.arena.text(*value)) : std::nullopt}});
  }
  MILENA_CHECK(check_result(context, resource, std::move(result), edits));
  return records;
}

void append_elr_resets(const DecisionContext& context, std::vector<MetadataRecord>& records) {
  if (!elr_enabled(context.image)) return;
  const std::size_t count = records.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto* config = std::get_if<protocol::ConfigRecord>(&records[i].body);
    if (config == nullptr || config->name != kMinInsyncReplicas) continue;
    const bool of_topic = config->resource_type == static_cast<std::int8_t>(ConfigResourceType::kTopic);
    records.push_back({.body = protocol::ClearElrRecord{.topic_name = of_topic ? config->resource_name
                                                                               : std::string_view()}});
  }
}

}  // namespace milena::controller
