#include "broker/handlers/find_coordinator.h"

#include <algorithm>
#include <utility>

#include "broker/coordinators/internal_topics.h"
#include "broker/handlers/cluster_view.h"
#include "broker/handlers/controller_call.h"
#include "coordinator/runtime/java_string.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;
using Coordinator = FindCoordinatorResponse::Coordinator;

enum KeyType : std::int8_t { kGroup = 0, kTransaction = 1, kShare = 2 };
constexpr int kManyKeys = 4;
constexpr int kShareKeys = 6;

std::string_view topic_of(std::int8_t key_type) {
  if (key_type == kGroup) return kOffsetsTopic;
  return key_type == kTransaction ? kTransactionsTopic : kShareStateTopic;
}

Coordinator nobody(std::string_view key, ErrorCode error) {
  return {.key = key,
          .node_id = protocol::kNoBroker,
          .host = "",
          .port = -1,
          .error_code = error,
          .error_message = ""};
}

Coordinator leader_for(std::string_view key, const controller::Topic* topic, const ClusterView& cluster) {
  if (topic == nullptr || topic->partitions.empty()) return nobody(key, ErrorCode::kCoordinatorNotAvailable);
  const auto count = static_cast<std::int32_t>(topic->partitions.size());
  const auto* partition = topic->partition(coordinator::partition_for_key(key, count));
  const auto node = partition == nullptr || !cluster.is_alive(partition->leader())
                        ? std::nullopt
                        : cluster.node(partition->leader());
  if (!node) return nobody(key, ErrorCode::kCoordinatorNotAvailable);
  return {.key = key, .node_id = node->id, .host = node->host, .port = node->port, .error_message = ""};
}

}  // namespace

void FindCoordinatorHandler::handle(Call& call, const FindCoordinatorRequest& request, Responder responder) {
  const auto image = metadata_.image();
  const bool is_known = request.key_type == kGroup || request.key_type == kTransaction ||
                        (request.key_type == kShare && call.version >= kShareKeys);
  if (!is_known || image->topic(topic_of(request.key_type)) != nullptr) {
    return responder.send(answer(call, request, *image));
  }
  const auto topic = internal_topic(topic_of(request.key_type), settings_, *image, call.arena);
  if (!topic) return responder.send(answer(call, request, *image));

  protocol::CreateTopicsRequest creation;
  creation.topics = call.arena.array<protocol::CreateTopicsRequest::CreatableTopic>(1);
  creation.topics[0] = *topic;
  using protocol::CreateTopicsResponse;
  call_controller<CreateTopicsResponse>(
      controller_, std::move(responder),
      {.request = creation, .version = CreateTopicsResponse::kInfo.max_version},
      [this, call, request](Responder answerer, const CreateTopicsResponse&) {
        const auto now = metadata_.image();
        answerer.send(answer(call, request, *now));
      });
}

FindCoordinatorResponse FindCoordinatorHandler::answer(const Call& call,
                                                       const FindCoordinatorRequest& request,
                                                       const controller::MetadataImage& image) const {
  const ClusterView cluster(image, self_, call);
  const bool is_invalid = request.key_type < kGroup || request.key_type > kShare ||
                          (request.key_type == kShare && call.version < kShareKeys);
  const auto* topic = is_invalid ? nullptr : image.topic(topic_of(request.key_type));
  const auto find = [&](std::string_view key) {
    return is_invalid ? nobody(key, ErrorCode::kInvalidRequest) : leader_for(key, topic, cluster);
  };
  FindCoordinatorResponse response;
  if (call.version >= kManyKeys) {
    response.coordinators = call.arena.array<Coordinator>(request.coordinator_keys.size());
    std::ranges::transform(request.coordinator_keys, response.coordinators.begin(), find);
    return response;
  }
  const Coordinator found = find(request.key);
  response.error_code = found.error_code;
  // Kafka has a message for success, too.
  response.error_message = found.error_code == ErrorCode::kNone ? "NONE" : error_message(found.error_code);
  response.node_id = found.node_id;
  response.host = found.host;
  response.port = found.port;
  return response;
}

}  // namespace milena::broker
