// PartitionChange: the record that gives one partition a new in-sync set, leader or log directories.
//
// Election, in this order: where the preferred leader is asked for, the first replica if it is in the ISR and
// may lead; the present leader if it may stay; the first replica that is in the ISR and may
// lead; if the ISR is empty, one of the eligible leader replicas; the last known leader; and, only where
// unclean elections are on, any replica that may lead. Eligible leader replicas (KIP-966) are members that
// left the ISR cleanly while it was below min.insync.replicas: they hold everything committed, so electing
// one of them loses nothing, and with them the ISR may become empty. Without them the last member stays in
// the ISR and only the leadership goes.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/arena.h"
#include "controller/image/metadata_image.h"
#include "controller/records/metadata_record.h"

namespace milena::controller {

struct PartitionChange {
  const Partition& current;
  Uuid topic{};
  PartitionId index = 0;
  FeatureLevel metadata_version = 0;
  std::size_t min_isr = 1;  // effective: never above the replication factor
  bool elr_enabled = false;
  bool preferred_election = false;
  bool unclean_election = false;
  // May this replica lead: unfenced, not shutting down, its (target) directory online.
  std::function<bool(BrokerId)> may_lead{};

  std::vector<BrokerId> target_isr{};     // the ISR without those who leave
  BrokerId unclean_shutdown = kNoBroker;  // lost its log's tail: leaves the ELR as well
  // Log directories of the replicas, parallel to them; empty: they stay where they are. Only from
  // metadata.version 3.7-IV2 on.
  std::vector<Uuid> target_directories{};

  // The record, or nothing if nothing changes. Lists in the arena.
  std::optional<MetadataRecord> to_record(Arena& arena) const;
};

}  // namespace milena::controller
