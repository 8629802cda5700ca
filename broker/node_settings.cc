#include "broker/node_settings.h"

#include "broker/config/broker_keys.h"
#include "broker/config/group_keys.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using controller::ConfigMap;
using controller::ConfigResource;
using controller::ConfigResourceType;
using controller::Decided;

Decided<void> check_config(const ConfigResource& resource, const ConfigMap& config,
                           const controller::ConfigEdits& edits, const DynamicConfig& configuration) {
  switch (resource.type) {
    case ConfigResourceType::kBroker:
      if (const auto checked = configuration.check(resource.name, config, edits); !checked) {
        return controller::refuse(ErrorCode::kInvalidRequest, checked.error());
      }
      return {};
    case ConfigResourceType::kGroup:
      if (resource.name.empty()) {
        return controller::refuse(ErrorCode::kInvalidRequest, "Default group resources are not allowed.");
      }
      if (const auto checked = check_group_config(config, *configuration.current()); !checked) {
        return controller::refuse(ErrorCode::kInvalidConfig, checked.error());
      }
      return {};
    default:
      return controller::refuse(ErrorCode::kInvalidRequest,
                                "This kind of resource has no configuration here.");
  }
}

const ConfigKey* find_config(ConfigResourceType type, std::string_view name) {
  if (type == ConfigResourceType::kBroker) return find_broker_config(name);
  return type == ConfigResourceType::kGroup ? find_group_config(name) : nullptr;
}

}  // namespace

controller::FeatureRanges supported_features() {
  constexpr controller::FeatureLevel kOldestMetadataVersion = 7;  // 3.3-IV3, the oldest of Kafka 4
  constexpr controller::FeatureLevel kMetadataVersion = 30;       // 4.3-IV0
  return {{"eligible.leader.replicas.version", {0, 1}},
          {std::string(kGroupVersion), {0, 1}},
          {std::string(controller::kKRaftVersion), {0, kKRaftVersion}},
          {std::string(controller::kMetadataVersion), {kOldestMetadataVersion, kMetadataVersion}},
          {std::string(kTransactionVersion), {0, 2}}};
}

PartitionManager::Options partition_options(const BrokerConfig& config, const ConfigValues& settings) {
  PartitionManager::Options options;
  options.self = config.node_id;
  options.durability = config.durability;
  options.file_config = config.settings.set();
  options.producer_expiration_ms = settings.number("producer.id.expiration.ms");
  options.retention_check = Instant(settings.number("log.retention.check.interval.ms"));
  options.checkpoint_interval = Instant(settings.number("log.flush.offset.checkpoint.interval.ms"));
  options.producer_check = Instant(settings.number("producer.id.expiration.check.interval.ms"));
  options.recovery_threads = static_cast<std::size_t>(settings.number("num.recovery.threads.per.data.dir"));
  return options;
}

ShardHostOptions group_shard_options(const BrokerConfig& config) {
  return {.commit_timeout = Instant(config.settings.number("offsets.commit.timeout.ms")),
          .load_buffer_bytes = static_cast<std::size_t>(config.settings.number("offsets.load.buffer.size"))};
}

ShardHostOptions transaction_shard_options(const BrokerConfig& config) {
  return {.load_buffer_bytes =
              static_cast<std::size_t>(config.settings.number("transaction.state.log.load.buffer.size"))};
}

TransactionCheck::Options transaction_check_options(const BrokerConfig& config) {
  const StaticConfig& settings = config.settings;
  return {.backoff = Instant(settings.number("add.partitions.to.txn.retry.backoff.ms")),
          .patience = Instant(settings.number("add.partitions.to.txn.retry.backoff.max.ms"))};
}

controller::ControllerSettings controller_settings(const BrokerConfig& config, const std::string& cluster_id,
                                                   const DynamicConfig& configuration) {
  const StaticConfig& settings = config.settings;
  controller::ControllerSettings out;
  out.node_id = config.node_id;
  out.cluster_id = cluster_id;
  out.supported_features = supported_features();
  out.static_config = settings.set();
  out.default_num_partitions = static_cast<std::int32_t>(settings.number("num.partitions"));
  out.default_replication_factor = static_cast<std::int16_t>(settings.number("default.replication.factor"));
  out.cap_replication_factor = settings.flag("milena.replication.factor.cap");
  out.delete_topic_enable = settings.flag("delete.topic.enable");
  out.find_config = find_config;
  out.check_config = [&configuration](const ConfigResource& resource, const ConfigMap& map,
                                      const controller::ConfigEdits& edits) {
    return check_config(resource, map, edits, configuration);
  };
  return out;
}

controller::SnapshotTrigger::Limits snapshot_limits(const BrokerConfig& config) {
  return {.max_bytes = static_cast<std::uint64_t>(
              config.settings.number("metadata.log.max.record.bytes.between.snapshots")),
          .max_interval_ms = config.settings.number("metadata.log.max.snapshot.interval.ms")};
}

}  // namespace milena::broker
