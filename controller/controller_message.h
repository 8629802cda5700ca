// ControllerMessage: what the active controller can be asked, and ControllerResponse: what it answers.
// Kafka's own requests and responses, so that a message can come from this process or over a wire.
//
// Values with views: what a message points to is kept by whoever made it until the answer has been read.
// decide() runs where the controller lives; it cannot fail: a request that is refused has a response that
// says so, and no records.
#pragma once

#include <cstdint>
#include <variant>

#include "base/arena.h"
#include "controller/decisions/decision.h"
#include "protocol/allocate_producer_ids.gen.h"
#include "protocol/alter_configs.gen.h"
#include "protocol/assign_replicas_to_dirs.gen.h"
#include "protocol/broker_heartbeat.gen.h"
#include "protocol/broker_registration.gen.h"
#include "protocol/create_partitions.gen.h"
#include "protocol/create_topics.gen.h"
#include "protocol/delete_topics.gen.h"
#include "protocol/elect_leaders.gen.h"
#include "protocol/incremental_alter_configs.gen.h"
#include "protocol/update_features.gen.h"

namespace milena::controller {

class Controller;

using ControllerRequest =
    std::variant<protocol::AllocateProducerIdsRequest, protocol::AlterConfigsRequest,
                 protocol::AssignReplicasToDirsRequest, protocol::BrokerHeartbeatRequest,
                 protocol::BrokerRegistrationRequest, protocol::CreatePartitionsRequest,
                 protocol::CreateTopicsRequest, protocol::DeleteTopicsRequest, protocol::ElectLeadersRequest,
                 protocol::IncrementalAlterConfigsRequest, protocol::UpdateFeaturesRequest>;

using ControllerResponse =
    std::variant<protocol::AllocateProducerIdsResponse, protocol::AlterConfigsResponse,
                 protocol::AssignReplicasToDirsResponse, protocol::BrokerHeartbeatResponse,
                 protocol::BrokerRegistrationResponse, protocol::CreatePartitionsResponse,
                 protocol::CreateTopicsResponse, protocol::DeleteTopicsResponse,
                 protocol::ElectLeadersResponse, protocol::IncrementalAlterConfigsResponse,
                 protocol::UpdateFeaturesResponse>;

struct ControllerMessage {
  ControllerRequest request;
  std::int16_t version = 0;  // of the request's API: older clients are answered by older rules
};

// Has the controller decide by the verb of the message's request. `kraft_version` is the quorum's; monotonic
// time. The response and the records point into the message and the arena.
Outcome<ControllerResponse> decide(Controller& controller, const ControllerMessage& message,
                                   std::int64_t now_ms, FeatureLevel kraft_version, Arena& arena);

}  // namespace milena::controller
