// AssignReplicasToDirs: a broker says in which of its log directories its replicas lie (KIP-858).
//
// Kafka limits such a request to 2,250 partitions; the controller takes any number.
#pragma once

#include "controller/decisions/decision.h"
#include "protocol/assign_replicas_to_dirs.gen.h"

namespace milena::controller {

// One record for each replica that was elsewhere before. A directory that the broker has not registered, or
// that is offline, takes the replica out of the ISR and its leadership away; one that is online makes it
// eligible again, and a partition without leader gets one at once. Of a partition that is listed twice the
// last directory counts. Directory ids with a meaning of their own are taken as they are: kLostDirectory is
// offline, kUnassignedDirectory and kMigratingDirectory are online.
//
// Of the whole request: UNSUPPORTED_VERSION before metadata.version 3.7-IV2; STALE_BROKER_EPOCH when the
// broker is not registered with that epoch. Of a partition: UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION,
// NOT_LEADER_OR_FOLLOWER when the broker holds no replica of it. The response lists what the request lists,
// in its order, and has no directories when the whole request is refused.
Outcome<protocol::AssignReplicasToDirsResponse> assign_directories(
    const DecisionContext& context, const protocol::AssignReplicasToDirsRequest& request);

}  // namespace milena::controller
