// ElectLeaders: an administrator has leaders elected (KIP-183, KIP-460): the preferred one, which is a
// partition's first replica, or, for partitions without a leader, any replica that lives, whatever it lacks.
//
// Errors, messages and order of checks are Kafka's (ReplicationControlManager). Partitions fail one by one: a
// leader that is already the wanted one is ELECTION_NOT_NEEDED, one that cannot be elected
// PREFERRED_LEADER_NOT_AVAILABLE or ELIGIBLE_LEADERS_NOT_AVAILABLE. Where the request names no partitions all
// are tried, and the answer leaves out those that need no election. An unknown kind of election fails as a
// whole with INVALID_REQUEST, more than 10,000 changes with POLICY_VIOLATION.
#pragma once

#include "controller/decisions/decision.h"
#include "protocol/elect_leaders.gen.h"

namespace milena::controller {

Outcome<protocol::ElectLeadersResponse> elect_leaders(const DecisionContext& context,
                                                      const protocol::ElectLeadersRequest& request);

}  // namespace milena::controller
