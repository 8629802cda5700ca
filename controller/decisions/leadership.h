// What becomes of leaders and in-sync replicas when a broker, or one of its log directories, comes or goes.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "controller/decisions/decision.h"

namespace milena::controller {

// Whom an event concerns; kNoBroker for nobody.
struct BrokerEvent {
  BrokerId leaving = kNoBroker;  // out of every ISR, leads nothing
  BrokerId joining = kNoBroker;  // may lead, although the image still has it fenced
  BrokerId unclean_shutdown =
      kNoBroker;  // leaving, and what it had not flushed is lost: no eligible leader either
  // Log directories that are no longer online, although the image still has them registered: the replicas in
  // them leave the ISR and lead nothing. Ids of directories are unique in the cluster.
  std::span<const Uuid> failed_directories{};
};

// One PartitionChange record for each partition that has to change: those that have a leaving broker in their
// ISR (or among their eligible leader replicas, if its shutdown was unclean), those with a replica in a
// failed directory, and, when a broker joins, those without a leader.
void append_leadership_changes(const DecisionContext& context, const BrokerEvent& event,
                               std::vector<MetadataRecord>& records);

// Does the broker lead any partition? Looks at all of them.
bool has_leaderships(const MetadataImage& image, BrokerId broker);

// May a replica that `broker` holds in `directory` lead: the broker is registered, unfenced and not shutting
// down, and the directory is online.
bool may_lead_from(const MetadataImage& image, BrokerId broker, const Uuid& directory);

// Effective settings of a topic that decide elections.
struct ElectionSettings {
  std::size_t min_isr = 1;  // never above the replication factor
  bool unclean = false;
};
ElectionSettings election_settings(const DecisionContext& context, const Topic& topic);

}  // namespace milena::controller
