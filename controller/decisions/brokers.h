// The life of brokers as the active controller sees it: registration, heartbeats, fencing, shutdown
// (KIP-631).
//
// A broker registers fenced, catches up with the metadata log, is unfenced and may lead; it is fenced when it
// asks for it, is shutting down, or has not been heard from for the session timeout.
#pragma once

#include "controller/decisions/broker_sessions.h"
#include "controller/decisions/decision.h"
#include "protocol/broker_heartbeat.gen.h"
#include "protocol/broker_registration.gen.h"
#include "protocol/controller_registration.gen.h"
#include "protocol/unregister_broker.gen.h"

namespace milena::controller {

// The broker's epoch becomes `next_offset`, where the first of the records will stand. `kraft_version` is the
// quorum's finalized level. A new incarnation leaves every ISR and is elected again when it is unfenced, but
// only for partitions whose directory it still has; one that registers again (same incarnation) without some
// of its directories loses what lies in those, and what lies in directories that it lists anew waits for its
// next unfencing.
Outcome<protocol::BrokerRegistrationResponse> register_broker(
    const DecisionContext& context, BrokerSessions& sessions, std::int64_t now_ms, Offset next_offset,
    FeatureLevel kraft_version, const protocol::BrokerRegistrationRequest& request);

// STALE_BROKER_EPOCH: the broker has not registered with this epoch. `offline_log_dirs` (metadata.version
// 3.7-IV2 on): the replicas there leave the ISR and lead nothing, and the directories leave the registration.
// `cordoned_log_dirs` (4.3-IV0 on): replaces those of the registration; a broker whose directories are all
// cordoned gets no new replicas.
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
