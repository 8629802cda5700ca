// Metadata, versions 0-13: brokers and topics.
//
// - Topics: v0 lists all for an empty array; from v1 on null asks for all and an empty array for none. Topic
//   ids may be asked from v12 on; v10 and v11 carry the field, and asking with it is INVALID_REQUEST.
// - A topic that is missing is created when the client allows it (always before v4) and
//   auto.create.topics.enable is on; the answer is given when the topic exists, with its leader.
// What the answer says: metadata_response.h. Shared by the event loops; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "broker/config/static_config.h"
#include "broker/handlers/all_topics_metadata_cache.h"
#include "broker/handlers/call.h"
#include "broker/handlers/metadata_response.h"
#include "broker/metadata/controller_gateway.h"
#include "broker/metadata/metadata_source.h"
#include "protocol/metadata.gen.h"

namespace milena::broker {

class MetadataHandler {
 public:
  MetadataHandler(std::string cluster_id, protocol::BrokerId self, const MetadataSource& metadata,
                  ControllerGateway& controller, const StaticConfig& settings)
      : builder_(std::move(cluster_id), self),
        metadata_(metadata),
        controller_(controller),
        settings_(settings),
        auto_create_topics_(settings.flag("auto.create.topics.enable")) {}

  void handle(Call& call, const protocol::MetadataRequest& request, Responder responder);

 private:
  void answer_all(Call& call, const protocol::MetadataRequest& request,
                  const controller::MetadataImagePtr& image, Responder responder);
  // Asks the controller for topics of these names, and answers with what came of it.
  void create(Call& call, const protocol::MetadataRequest& request, std::span<const std::string_view> missing,
              const controller::MetadataImage& image, Responder responder);

  const MetadataResponseBuilder builder_;
  const MetadataSource& metadata_;
  ControllerGateway& controller_;
  const StaticConfig& settings_;
  const bool auto_create_topics_;
  AllTopicsMetadataCache all_topics_;
};

}  // namespace milena::broker
