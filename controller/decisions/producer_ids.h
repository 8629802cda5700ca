// AllocateProducerIds: blocks of 1,000 producer ids, each handed out once and for ever.
#pragma once

#include "controller/decisions/decision.h"
#include "protocol/allocate_producer_ids.gen.h"

namespace milena::controller {

Outcome<protocol::AllocateProducerIdsResponse> allocate_producer_ids(
    const DecisionContext& context, const protocol::AllocateProducerIdsRequest& request);

}  // namespace milena::controller
