#include "broker/handlers/metadata.h"

#include <utility>
#include <vector>

#include "broker/coordinators/internal_topics.h"
#include "broker/handlers/controller_call.h"
#include "protocol/create_topics.gen.h"

namespace milena::broker {

using protocol::CreateTopicsResponse;
using protocol::MetadataRequest;

void MetadataHandler::handle(Call& call, const MetadataRequest& request, Responder responder) {
  if (const auto checked = MetadataResponseBuilder::check(call, request); !checked) {
    return responder.send(builder_.refusal(call, request, checked.error().code));
  }
  const auto image = metadata_.image();
  if (MetadataResponseBuilder::asks_for_all(call, request)) {
    return answer_all(call, request, image, std::move(responder));
  }
  if (auto_create_topics_ && request.allow_auto_topic_creation) {
    const auto missing = MetadataResponseBuilder::missing_topics(call, request, *image);
    if (!missing.empty()) return create(call, request, missing, *image, std::move(responder));
  }
  responder.send(builder_.response(call, request, *image));
}

void MetadataHandler::answer_all(Call& call, const MetadataRequest& request,
                                 const controller::MetadataImagePtr& image, Responder responder) {
  if (const auto kept = all_topics_.find(call, request, image)) return responder.send_frame(*kept);
  const auto frame = protocol::encode_response(builder_.response(call, request, *image), call.version,
                                               call.request.header().correlation_id, call.arena);
  all_topics_.keep(call, request, image, frame);
  responder.send_frame(frame);
}

void MetadataHandler::create(Call& call, const MetadataRequest& request,
                             std::span<const std::string_view> missing,
                             const controller::MetadataImage& image, Responder responder) {
  using Topic = protocol::CreateTopicsRequest::CreatableTopic;
  protocol::CreateTopicsRequest creation;
  creation.topics = call.arena.array<Topic>(missing.size());
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const Topic by_default{.name = missing[i], .num_partitions = -1, .replication_factor = -1};
    creation.topics[i] = internal_topic(missing[i], settings_, image, call.arena).value_or(by_default);
  }
  call_controller<CreateTopicsResponse>(
      controller_, std::move(responder),
      {.request = creation, .version = CreateTopicsResponse::kInfo.max_version},
      [this, call, request](Responder answer, const CreateTopicsResponse& created) mutable {
        const auto now = metadata_.image();
        answer.send(builder_.response(call, request, *now, created));
      });
}

}  // namespace milena::broker
