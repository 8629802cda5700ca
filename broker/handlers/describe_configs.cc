#include "broker/handlers/describe_configs.h"

#include <algorithm>
#include <string>
#include <vector>

#include "broker/config/describe_topic.h"
#include "broker/config/group_keys.h"
#include "controller/decisions/topic_names.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using controller::ConfigResourceType;
using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using Asked = DescribeConfigsRequest::DescribeConfigsResource;
using Answer = DescribeConfigsResponse::DescribeConfigsResult;

bool wanted(const Asked& asked, std::string_view name) {
  return !asked.configuration_keys || asked.configuration_keys->empty() ||
         std::ranges::find(*asked.configuration_keys, name) != asked.configuration_keys->end();
}

std::optional<std::string_view> copied(Arena& arena, const std::optional<std::string>& text) {
  return text ? std::optional(arena.text(*text)) : std::nullopt;
}

void fill(Call& call, const DescribeConfigsRequest& request, const Asked& asked,
          const std::vector<DescribedConfig>& configs, Answer& answer) {
  using Config = Answer::DescribeConfigsResourceResult;
  auto out = call.arena.array<Config>(configs.size());
  std::size_t count = 0;
  for (const DescribedConfig& config : configs) {
    if (!wanted(asked, config.name)) continue;
    Config& told = out[count++];
    told.name = call.arena.text(config.name);
    told.value = copied(call.arena, config.value);
    told.read_only = config.is_read_only;
    told.config_source = static_cast<std::int8_t>(config.source);
    told.is_sensitive = config.is_sensitive;
    told.config_type = config.type ? static_cast<std::int8_t>(*config.type) : std::int8_t{0};
    if (request.include_documentation) told.documentation = config.doc;
    if (!request.include_synonyms) continue;
    told.synonyms = call.arena.array<Config::DescribeConfigsSynonym>(config.synonyms.size());
    for (std::size_t i = 0; i < config.synonyms.size(); ++i) {
      told.synonyms[i] = {.name = call.arena.text(config.synonyms[i].name),
                          .value = copied(call.arena, config.synonyms[i].value),
                          .source = static_cast<std::int8_t>(config.synonyms[i].source)};
    }
  }
  answer.configs = out.first(count);
}

void refuse(Call& call, Answer& answer, ErrorCode error, std::string_view message) {
  answer.error_code = error;
  answer.error_message = call.arena.text(message);
}

}  // namespace

controller::ConfigLayers DescribeConfigsHandler::layers_of(const DynamicConfig::State& state) const {
  return {.broker = &state.for_this, .cluster = &state.for_all, .file = &config_.settings.set()};
}

DescribeConfigsResponse DescribeConfigsHandler::handle(Call& call, const DescribeConfigsRequest& request,
                                                       const controller::MetadataImage& image) const {
  DescribeConfigsResponse response;
  response.results = call.arena.array<Answer>(request.resources.size());
  for (std::size_t i = 0; i < request.resources.size(); ++i) {
    const Asked& asked = request.resources[i];
    Answer& answer = response.results[i];
    answer.resource_type = asked.resource_type;
    answer.resource_name = asked.resource_name;
    answer.error_message = "";
    switch (static_cast<ConfigResourceType>(asked.resource_type)) {
      case ConfigResourceType::kTopic:
        describe_topic_resource(call, request, asked, image, answer);
        break;
      case ConfigResourceType::kBroker:
        describe_broker_resource(call, request, asked, answer);
        break;
      case ConfigResourceType::kGroup:
        describe_group_resource(call, request, asked, image, answer);
        break;
      default:
        refuse(call, answer, ErrorCode::kInvalidRequest, "This kind of resource has no configuration here.");
    }
  }
  return response;
}

void DescribeConfigsHandler::describe_topic_resource(Call& call, const DescribeConfigsRequest& request,
                                                     const Asked& asked,
                                                     const controller::MetadataImage& image,
                                                     Answer& answer) const {
  if (const auto error = controller::topic_name_error(asked.resource_name)) {
    return refuse(call, answer, ErrorCode::kInvalidTopicException, *error);
  }
  if (image.topic(asked.resource_name) == nullptr) {
    answer.error_code = ErrorCode::kUnknownTopicOrPartition;
    return;
  }
  const auto state = configuration_.state();
  auto layers = layers_of(*state);
  layers.topic = image.config(ConfigResourceType::kTopic, asked.resource_name);
  fill(call, request, asked, describe_topic(layers), answer);
}

void DescribeConfigsHandler::describe_broker_resource(Call& call, const DescribeConfigsRequest& request,
                                                      const Asked& asked, Answer& answer) const {
  const auto state = configuration_.state();
  const auto layers = layers_of(*state);
  if (asked.resource_name.empty())
    return fill(call, request, asked, describe_broker_defaults(layers), answer);
  if (asked.resource_name != std::to_string(config_.node_id.value)) {
    return refuse(call, answer, ErrorCode::kInvalidRequest,
                  "A broker describes itself only: ask with its own id.");
  }
  const InForce in_force = values_in_force(config_, client_ports_, state->values);
  fill(call, request, asked, describe_broker(layers, in_force), answer);
}

void DescribeConfigsHandler::describe_group_resource(Call& call, const DescribeConfigsRequest& request,
                                                     const Asked& asked,
                                                     const controller::MetadataImage& image,
                                                     Answer& answer) const {
  if (asked.resource_name.empty()) {
    return refuse(call, answer, ErrorCode::kInvalidRequest, "Group name must not be empty");
  }
  const auto* group = image.config(ConfigResourceType::kGroup, asked.resource_name);
  fill(call, request, asked, describe_group(group, layers_of(*configuration_.state())), answer);
}

}  // namespace milena::broker
