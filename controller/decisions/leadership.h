// What becomes of leaders and in-sync replicas when a broker comes or goes.
#pragma once

#include <vector>

#include "controller/decisions/decision.h"

namespace milena::controller {

// Whom an event concerns; kNoBroker for nobody.
struct BrokerEvent {
  BrokerId leaving = kNoBroker;  // out of every ISR, leads nothing
  BrokerId joining = kNoBroker;  // may lead, although the image still has it fenced
  BrokerId unclean_shutdown =
      kNoBroker;  // leaving, and what it had not flushed is lost: no eligible leader either
};

// One PartitionChange record for each partition that has to change: those that have a leaving broker in their
// ISR (or among their eligible leader replicas, if its shutdown was unclean), and, when a broker joins, those
// without a leader.
void append_leadership_changes(const DecisionContext& context, const BrokerEvent& event,
                               std::vector<MetadataRecord>& records);

// Does the broker lead any partition? Looks at all of them.
bool has_leaderships(const MetadataImage& image, BrokerId broker);

}  // namespace milena::controller
