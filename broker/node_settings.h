// What the parts of a broker need, taken from its configuration by Kafka's keys.
#pragma once

#include <string_view>

#include "broker/config/broker_config.h"
#include "broker/config/dynamic_config.h"
#include "broker/coordinators/shard_host.h"
#include "broker/handlers/transaction_check.h"
#include "broker/partition/partition_manager.h"
#include "controller/decisions/decision.h"
#include "controller/snapshot/metadata_snapshot.h"

namespace milena::broker {

// The highest kraft.version this node speaks; its one-voter quorum uses it (KIP-853).
inline constexpr controller::FeatureLevel kKRaftVersion = 1;

// The feature that turns on consumer groups of the new protocol (KIP-848).
inline constexpr std::string_view kGroupVersion = "group.version";

// The rules of transactions; 2: every end bumps the producer's epoch (KIP-890).
inline constexpr std::string_view kTransactionVersion = "transaction.version";

// The features that this node supports, and in which levels. Only what clients really get is listed.
controller::FeatureRanges supported_features();

// `settings`: what is in force at the start, dynamic settings of an earlier run included.
PartitionManager::Options partition_options(const BrokerConfig& config, const ConfigValues& settings);
ShardHostOptions group_shard_options(const BrokerConfig& config);
ShardHostOptions transaction_shard_options(const BrokerConfig& config);
TransactionCheck::Options transaction_check_options(const BrokerConfig& config);
// `configuration` outlives the result.
controller::ControllerSettings controller_settings(const BrokerConfig& config, const std::string& cluster_id,
                                                   const DynamicConfig& configuration);
controller::SnapshotTrigger::Limits snapshot_limits(const BrokerConfig& config);

}  // namespace milena::broker
