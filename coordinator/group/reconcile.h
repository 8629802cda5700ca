// Reconciliation: the next step of one member from what it owns towards what it should own (KIP-848).
//
// A pure function. It never gives a partition that somebody owns or still has to give up, and never takes one
// back before the member itself reports that it is gone; so no partition has two owners.
#pragma once

#include <cstdint>
#include <functional>

#include "base/result.h"
#include "base/uuid.h"
#include "coordinator/group/consumer_group.h"
#include "coordinator/group/partitions.h"

namespace milena::coordinator {

struct ReconcileInput {
  std::int32_t target_epoch = 0;
  const Assignment* target = nullptr;    // null: nothing
  bool subscription_changed = false;     // topics may have to go before the target knows it
  const Assignment* reported = nullptr;  // what the member says it has; null: it did not say
  std::function<bool(const Uuid& topic_id)> is_subscribed;
  std::function<bool(const Uuid& topic_id, std::int32_t partition)> is_owned;  // by any member
};

// Error: kFencedMemberEpoch for a member in a state that only a newer version knows; it must give up
// everything and join again.
Result<ConsumerMember> reconcile(const ConsumerMember& member, const ReconcileInput& input);

}  // namespace milena::coordinator
