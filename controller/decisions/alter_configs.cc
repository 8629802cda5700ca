#include "controller/decisions/alter_configs.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "controller/decisions/config_changes.h"
#include "controller/records/metadata_batch.h"

namespace milena::controller {
namespace {

using Incremental = protocol::IncrementalAlterConfigsRequest;
using Legacy = protocol::AlterConfigsRequest;

enum class Operation : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };

ConfigMap current_config(const DecisionContext& context, const ConfigResource& resource) {
  const ConfigMap* current = context.image.config(resource.type, resource.name);
  return current != nullptr ? *current : ConfigMap();
}

bool is_configurable(ConfigResourceType type) {
  return type == ConfigResourceType::kTopic || type == ConfigResourceType::kBroker ||
         type == ConfigResourceType::kClientMetrics || type == ConfigResourceType::kGroup;
}

Decided<void> check_exists(const DecisionContext& context, const ConfigResource& resource) {
  if (resource.type == ConfigResourceType::kTopic && !context.image.topic_ids.contains(resource.name)) {
    return refuse(ErrorCode::kUnknownTopicOrPartition,
                  fmt::format("The topic '{}' does not exist.", resource.name));
  }
  if (resource.type == ConfigResourceType::kBroker && !resource.name.empty()) {
    std::int32_t id = -1;
    std::from_chars(resource.name.data(), resource.name.data() + resource.name.size(), id);
    if (!context.image.brokers.contains(BrokerId(id)) && !context.image.controllers.contains(BrokerId(id)) &&
        BrokerId(id) != context.settings.node_id) {
      return refuse(ErrorCode::kBrokerIdNotRegistered, fmt::format("No node with id {} found.", id));
    }
  }
  return {};
}

// Kafka splits at every comma and keeps the spaces here; only empty members of the stored list go.
std::vector<std::string> members(std::string_view text, bool keep_empty) {
  std::vector<std::string> list;
  while (true) {
    const auto comma = text.find(',');
    const std::string_view member = text.substr(0, comma);
    if (keep_empty || !member.empty()) list.emplace_back(member);
    if (comma == std::string_view::npos) return list;
    text.remove_prefix(comma + 1);
  }
}

Decided<std::string> edited_list(const DecisionContext& context, const ConfigResource& resource,
                                 Operation operation, std::string_view name, std::string_view change,
                                 const ConfigMap& current) {
  if (!is_list_config(context, resource.type, name)) {
    return refuse(ErrorCode::kInvalidConfig,
                  fmt::format("Can't {} to key {} because its type is not LIST.",
                              operation == Operation::kAppend ? "APPEND" : "SUBTRACT", name));
  }
  const ConfigKey* key = resource.type == ConfigResourceType::kTopic
                             ? find_topic_config(name)
                             : context.settings.find_config(resource.type, name);
  const auto stored = current.find(name);
  std::vector<std::string> list = members(
      stored != current.end() ? std::string_view(stored->second) : key->default_text.value_or(""), false);
  for (std::string& member : members(change, true)) {
    const auto at = std::ranges::find(list, member);
    if (operation == Operation::kSubtract && at != list.end()) list.erase(at);
    if (operation == Operation::kAppend && at == list.end()) list.push_back(std::move(member));
  }
  return fmt::format("{}", fmt::join(list, ","));
}

Decided<ConfigEdits> edits_of(const DecisionContext& context, const ConfigResource& resource,
                              const Incremental::AlterConfigsResource& request, const ConfigMap& current) {
  ConfigEdits edits;
  for (const auto& config : request.configs) {
    const auto operation = static_cast<Operation>(config.config_operation);
    std::optional<std::string> value;
    switch (operation) {
      case Operation::kSet:
        value = config.value.value_or("");
        break;
      case Operation::kDelete:
        break;
      case Operation::kAppend:
      case Operation::kSubtract: {
        MILENA_TRY(value, edited_list(context, resource, operation, config.name, config.value.value_or(""),
                                      current));
        break;
      }
      default:
        return refuse(ErrorCode::kInvalidRequest,
                      fmt::format("Unknown operations type {}", static_cast<int>(config.config_operation)));
    }
    edits.emplace(config.name, std::move(value));
  }
  return edits;
}

Decided<ConfigEdits> edits_of(const DecisionContext&, const ConfigResource&,
                              const Legacy::AlterConfigsResource& request, const ConfigMap& current) {
  ConfigEdits edits;
  for (const auto& config : request.configs) edits.emplace(config.name, config.value.value_or(""));
  for (const auto& [name, value] : current) edits.emplace(name, std::nullopt);
  return edits;
}

bool may_be_null(const Incremental::AlterConfigsResource::AlterableConfig& config) {
  return config.config_operation == static_cast<std::int8_t>(Operation::kDelete);
}
bool may_be_null(const Legacy::AlterConfigsResource::AlterableConfig&) { return false; }

template <class Configs>
Decided<void> check_request(const Configs& configs) {
  std::set<std::string_view> names;
  std::vector<std::string_view> nulls;
  for (const auto& config : configs) {
    if (!names.insert(config.name).second) {
      return refuse(ErrorCode::kInvalidRequest, "Error due to duplicate config keys");
    }
    if (!config.value && !may_be_null(config)) nulls.push_back(config.name);
  }
  if (!nulls.empty()) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("Null value not supported for : {}", fmt::join(nulls, ", ")));
  }
  return {};
}

template <class Resource>
Decided<void> alter(const DecisionContext& context, const Resource& request, bool repeated,
                    const AlterConfigsAccess& access, std::vector<MetadataRecord>& records) {
  const ConfigResource resource{static_cast<ConfigResourceType>(request.resource_type),
                                std::string(request.resource_name)};
  if (repeated) return refuse(ErrorCode::kInvalidRequest, "Each resource must appear at most once.");
  MILENA_CHECK(check_request(request.configs));
  if (!is_configurable(resource.type)) {
    return refuse(ErrorCode::kInvalidRequest,
                  fmt::format("Unknown resource type {}", static_cast<int>(request.resource_type)));
  }
  const ErrorCode allowed = access ? access(resource) : ErrorCode::kNone;
  if (allowed != ErrorCode::kNone) return refuse(allowed);
  const ConfigMap current = current_config(context, resource);
  MILENA_TRY(const ConfigEdits edits, edits_of(context, resource, request, current));
  MILENA_TRY(std::vector<MetadataRecord> made, config_records(context, resource, current, edits));
  MILENA_CHECK(check_exists(context, resource));
  append_elr_resets(context, made);
  if (records.size() + made.size() > kMaxRecordsPerOperation) {
    return refuse(ErrorCode::kPolicyViolation, "Unable to perform excessively large batch operation.");
  }
  records.insert(records.end(), made.begin(), made.end());
  return {};
}

template <class Request, class Response>
Outcome<Response> alter_all(const DecisionContext& context, const Request& request,
                            const AlterConfigsAccess& access) {
  using Result = typename Response::AlterConfigsResourceResponse;
  std::map<std::pair<std::int8_t, std::string_view>, int> times;
  for (const auto& resource : request.resources) ++times[{resource.resource_type, resource.resource_name}];
  Outcome<Response> outcome;
  const std::span<Result> results = context.arena.array<Result>(request.resources.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& resource = request.resources[i];
    const bool repeated = times[{resource.resource_type, resource.resource_name}] > 1;
    const Decided<void> altered = alter(context, resource, repeated, access, outcome.records);
    results[i] = {.resource_type = resource.resource_type, .resource_name = resource.resource_name};
    if (!altered) {
      results[i].error_code = altered.error().code;
      results[i].error_message = altered.error().text(context.arena);
    }
  }
  outcome.response.responses = results;
  if (request.validate_only) outcome.records.clear();
  return outcome;
}

}  // namespace

Outcome<protocol::IncrementalAlterConfigsResponse> incremental_alter_configs(
    const DecisionContext& context, const protocol::IncrementalAlterConfigsRequest& request,
    const AlterConfigsAccess& access) {
  return alter_all<protocol::IncrementalAlterConfigsRequest, protocol::IncrementalAlterConfigsResponse>(
      context, request, access);
}

Outcome<protocol::AlterConfigsResponse> alter_configs(const DecisionContext& context,
                                                      const protocol::AlterConfigsRequest& request,
                                                      const AlterConfigsAccess& access) {
  return alter_all<protocol::AlterConfigsRequest, protocol::AlterConfigsResponse>(context, request, access);
}

}  // namespace milena::controller
