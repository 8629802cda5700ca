#include "broker/handlers/controller_handlers.h"

#include <utility>

#include "broker/coordinators/internal_topics.h"
#include "broker/handlers/metadata_change.h"
#include "broker/node_settings.h"
#include "protocol/error_code.h"

namespace milena::broker {

using controller::Controller;

void ControllerHandlers::create_topics(Call&, const protocol::CreateTopicsRequest& request,
                                       Responder responder) {
  change_metadata<protocol::CreateTopicsResponse>(
      metadata_, std::move(responder), [request](Controller& controller, std::int64_t, Arena& arena) {
        return controller.create_topics(request, {}, arena);
      });
}

void ControllerHandlers::delete_topics(Call& call, const protocol::DeleteTopicsRequest& request,
                                       Responder responder) {
  change_metadata<protocol::DeleteTopicsResponse>(
      metadata_, std::move(responder),
      [request, version = call.version](Controller& controller, std::int64_t, Arena& arena) {
        return controller.delete_topics(request, version, {}, arena);
      });
}

void ControllerHandlers::create_partitions(Call&, const protocol::CreatePartitionsRequest& request,
                                           Responder responder) {
  change_metadata<protocol::CreatePartitionsResponse>(
      metadata_, std::move(responder), [request](Controller& controller, std::int64_t, Arena& arena) {
        return controller.create_partitions(request, {}, arena);
      });
}

void ControllerHandlers::incremental_alter_configs(Call&,
                                                   const protocol::IncrementalAlterConfigsRequest& request,
                                                   Responder responder) {
  change_metadata<protocol::IncrementalAlterConfigsResponse>(
      metadata_, std::move(responder), [request](Controller& controller, std::int64_t, Arena& arena) {
        return controller.incremental_alter_configs(request, {}, arena);
      });
}

void ControllerHandlers::alter_configs(Call&, const protocol::AlterConfigsRequest& request,
                                       Responder responder) {
  change_metadata<protocol::AlterConfigsResponse>(
      metadata_, std::move(responder), [request](Controller& controller, std::int64_t, Arena& arena) {
        return controller.alter_configs(request, {}, arena);
      });
}

void ControllerHandlers::elect_leaders(Call&, const protocol::ElectLeadersRequest& request,
                                       Responder responder) {
  change_metadata<protocol::ElectLeadersResponse>(
      metadata_, std::move(responder), [request](Controller& controller, std::int64_t, Arena& arena) {
        return controller.elect_leaders(request, arena);
      });
}

void ControllerHandlers::update_features(Call& call, const protocol::UpdateFeaturesRequest& request,
                                         Responder responder) {
  change_metadata<protocol::UpdateFeaturesResponse>(
      metadata_, std::move(responder),
      [request, version = call.version, kraft = metadata_.kraft_version()](Controller& controller,
                                                                           std::int64_t, Arena& arena) {
        return controller.update_features(request, version, kraft, arena);
      });
}

void ControllerHandlers::all_metadata(Call& call, const protocol::MetadataRequest& request,
                                      const controller::MetadataImagePtr& image, Responder responder) {
  if (const auto kept = whole_metadata_.find(call, request, image)) return responder.send_frame(*kept);
  const auto frame =
      protocol::encode_response(metadata_answers_.answer(call, request, *image, {}), call.version,
                                call.request.header().correlation_id, call.arena);
  whole_metadata_.keep(call, request, image, frame);
  responder.send_frame(frame);
}

void ControllerHandlers::metadata(Call& call, const protocol::MetadataRequest& request, Responder responder) {
  if (const auto checked = MetadataHandler::check(call, request); !checked) {
    return responder.send(metadata_answers_.refusal(call, request, checked.error().code));
  }
  const auto image = metadata_.image();
  if (MetadataHandler::asks_for_all(call, request))
    return all_metadata(call, request, image, std::move(responder));
  const bool creates = auto_create_topics_ && request.allow_auto_topic_creation;
  const auto missing =
      creates ? MetadataHandler::missing_topics(call, request, *image) : std::vector<std::string_view>{};
  if (missing.empty()) return responder.send(metadata_answers_.answer(call, request, *image, {}));

  protocol::CreateTopicsRequest creation;
  creation.topics = call.arena.array<protocol::CreateTopicsRequest::CreatableTopic>(missing.size());
  for (std::size_t i = 0; i < missing.size(); ++i) {
    using Topic = protocol::CreateTopicsRequest::CreatableTopic;
    const Topic with_defaults{.name = missing[i], .num_partitions = -1, .replication_factor = -1};
    creation.topics[i] = internal_topic(missing[i], settings_, *image, call.arena).value_or(with_defaults);
  }
  change_metadata<protocol::CreateTopicsResponse>(
      metadata_, std::move(responder),
      [creation](Controller& controller, std::int64_t, Arena& arena) {
        return controller.create_topics(creation, {}, arena);
      },
      [this, call, request](Responder answer, const protocol::CreateTopicsResponse& created) mutable {
        std::vector<MetadataHandler::Refusal> refusals;
        for (const auto& topic : created.topics) {
          if (topic.error_code != ErrorCode::kNone)
            refusals.push_back({std::string(topic.name), topic.error_code});
        }
        const auto now = metadata_.image();
        answer.send(metadata_answers_.answer(call, request, *now, refusals));
      });
}

}  // namespace milena::broker
