#include "controller/decisions/decision.h"

#include <string>

namespace milena::controller {

ConfigLayers topic_layers(const DecisionContext& context, const ConfigMap* overrides) {
  return {.topic = overrides,
          .broker = context.image.config(ConfigResourceType::kBroker,
                                         std::to_string(context.settings.node_id.value)),
          .cluster = context.image.config(ConfigResourceType::kBroker, ""),
          .file = &context.settings.static_config};
}

bool elr_enabled(const MetadataImage& image) { return image.feature(kElrFeature) > 0; }

}  // namespace milena::controller
