// The life of brokers as the active controller sees it: registration, heartbeats, fencing, shutdown
// (KIP-631).
//
// A broker registers fenced, catches up with the metadata log, is unfenced and may lead; it is fenced when it
// asks for it, is shutting down, or has not been heard from for the session timeout.
#pragma once

#include <optional>

#include "controller/decisions/broker_sessions.h"
#include "controller/decisions/decision.h"
#include "protocol/broker_heartbeat.gen.h"
#include "protocol/broker_registration.gen.h"
#include "protocol/controller_registration.gen.h"
#include "protocol/unregister_broker.gen.h"

namespace milena::controller {

// The broker's epoch becomes `next_offset`, where the first of the records will stand. `kraft_version` is the
// quorum's finalized level.
Outcome<protocol::BrokerRegistrationResponse> register_broker(
    const DecisionContext& context, BrokerSessions& sessions, std::int64_t now_ms, Offset next_offset,
    FeatureLevel kraft_version, const protocol::BrokerRegistrationRequest& request);

Outcome<protocol::BrokerHeartbeatResponse> broker_heartbeat(const DecisionContext& context,
                                                            BrokerSessions& sessions, std::int64_t now_ms,
                                                            Offset next_offset,
                                                            const protocol::BrokerHeartbeatRequest& request);

// Records that fence one broker whose session has ended; empty if there is none. To be called until it is.
std::vector<MetadataRecord> fence_expired_broker(const DecisionContext& context, BrokerSessions& sessions,
                                                 std::int64_t now_ms);

Outcome<protocol::UnregisterBrokerResponse> unregister_broker(
    const DecisionContext& context, BrokerSessions& sessions,
    const protocol::UnregisterBrokerRequest& request);

Outcome<protocol::ControllerRegistrationResponse> register_controller(
    const DecisionContext& context, const protocol::ControllerRegistrationRequest& request);

}  // namespace milena::controller
