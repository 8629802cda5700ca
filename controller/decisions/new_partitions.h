// Partitions that do not exist yet: their replicas, chosen or given, and the records that make them.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "controller/decisions/decision.h"

namespace milena::controller {

// Replicas of partitions that come after one another.
using Assignments = std::vector<std::vector<BrokerId>>;

// Lets the placer choose. INVALID_REPLICATION_FACTOR when the brokers do not suffice.
Decided<Assignments> place_partitions(const DecisionContext& context, std::int64_t count,
                                      std::int32_t replication_factor);

// Checks replicas that the user chose: registered brokers with room, none twice, and as many as the
// partitions before have, if there are any. INVALID_REPLICA_ASSIGNMENT otherwise.
Decided<void> check_assignment(const MetadataImage& image, std::span<const BrokerId> replicas,
                               std::optional<std::size_t> replication_factor);

// The replicas that may be in the ISR from the start.
std::vector<BrokerId> active_replicas(const MetadataImage& image, std::span<const BrokerId> replicas);

// The record of a new partition; `isr` is not empty and its first member leads.
MetadataRecord new_partition(const DecisionContext& context, const Uuid& topic, PartitionId index,
                             std::span<const BrokerId> replicas, std::span<const BrokerId> isr);

}  // namespace milena::controller
