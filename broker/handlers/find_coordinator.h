// FindCoordinator, versions 0-6: who looks after a group or a transactional id (KIP-699: many keys from v4
// on).
//
// There are no coordinators yet, and the answer says so: COORDINATOR_NOT_AVAILABLE, which clients take as
// "ask again later". An unknown key type, or a share group's before v6, is INVALID_REQUEST.
#pragma once

#include "broker/handlers/call.h"
#include "protocol/find_coordinator.gen.h"

namespace milena::broker {

protocol::FindCoordinatorResponse find_coordinator(Call& call,
                                                   const protocol::FindCoordinatorRequest& request);

}  // namespace milena::broker
