#include "broker/handlers/list_config_resources.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "broker/handlers/cluster_view.h"
#include "controller/config/config_resource.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using Response = protocol::ListConfigResourcesResponse;
using Resource = Response::ConfigResource;
using Type = controller::ConfigResourceType;

constexpr std::int16_t kManyKinds = 1;
constexpr auto kAllKinds =
    std::to_array({Type::kTopic, Type::kBroker, Type::kBrokerLogger, Type::kClientMetrics, Type::kGroup});

Resource resource(Type type, std::string_view name) {
  return {.resource_name = name, .resource_type = std::to_underlying(type)};
}

void add_configured(const controller::MetadataImage& image, Type type, std::vector<Resource>& found) {
  for (const auto& [key, config] : image.configs) {
    if (key.type == type) found.push_back(resource(type, key.name));
  }
}

void add_brokers(const ClusterView& view, Arena& arena, std::vector<Resource>& found) {
  for (const auto& [id, registration] : view.image().brokers) {
    if (view.is_alive(id)) found.push_back(resource(Type::kBroker, arena.text(std::to_string(id.value))));
  }
}

}  // namespace

Response list_config_resources(Call& call, const protocol::ListConfigResourcesRequest& request,
                               const controller::MetadataImage& image, protocol::BrokerId self) {
  const auto is_asked = [&](Type type) {
    if (call.version < kManyKinds) return type == Type::kClientMetrics;
    return request.resource_types.empty() ||
           std::ranges::find(request.resource_types, std::to_underlying(type)) !=
               request.resource_types.end();
  };
  const auto exists = [](std::int8_t kind) {
    return std::ranges::find(kAllKinds, static_cast<Type>(kind)) != kAllKinds.end();
  };
  if (!std::ranges::all_of(request.resource_types, exists)) {
    return {.error_code = ErrorCode::kUnsupportedVersion};
  }
  std::vector<Resource> found;
  for (const Type type : {Type::kGroup, Type::kClientMetrics}) {
    if (is_asked(type)) add_configured(image, type, found);
  }
  if (is_asked(Type::kBroker)) add_brokers(ClusterView(image, self, call), call.arena, found);
  if (is_asked(Type::kTopic)) {
    for (const auto& [id, topic] : image.topics) found.push_back(resource(Type::kTopic, topic->name));
  }
  Response response;
  response.config_resources = call.arena.array<Resource>(found.size());
  std::ranges::copy(found, response.config_resources.begin());
  return response;
}

}  // namespace milena::broker
