#include "broker/options_from_config.h"

#include <algorithm>

#include "broker/config/broker_keys.h"

namespace milena::broker {
namespace {

using controller::ConfigResourceType;

// The feature levels that this code understands, with Kafka's numbers: metadata.version 7 is 3.3-IV3, 30
// is 4.3-IV0.
controller::FeatureRanges supported_features() {
  return {
      {"metadata.version", {7, 30}}, {"kraft.version", {0, 1}}, {"eligible.leader.replicas.version", {0, 1}}};
}

controller::ControllerSettings controller_settings(const StaticConfig& settings) {
  controller::ControllerSettings out;
  out.supported_features = supported_features();
  out.static_config = settings.set();
  out.default_num_partitions = static_cast<std::int32_t>(settings.number("num.partitions"));
  out.default_replication_factor = static_cast<std::int16_t>(settings.number("default.replication.factor"));
  out.delete_topic_enable = settings.flag("delete.topic.enable");
  out.broker_session_timeout_ms = settings.number("broker.session.timeout.ms");
  out.find_config = [](ConfigResourceType type, std::string_view name) -> const ConfigKey* {
    return type == ConfigResourceType::kBroker ? find_broker_config(name) : nullptr;
  };
  return out;
}

PartitionManager::Options partition_options(const BrokerConfig& config) {
  const StaticConfig& settings = config.settings;
  return {.self = config.node_id,
          .durability = config.durability,
          .file_config = settings.set(),
          .producer_expiration_ms = settings.number("producer.id.expiration.ms"),
          .retention_check = Instant{settings.number("log.retention.check.interval.ms")},
          .checkpoint_interval = Instant{settings.number("log.flush.offset.checkpoint.interval.ms")},
          .producer_check = Instant{settings.number("producer.id.expiration.check.interval.ms")},
          .recovery_threads = static_cast<std::size_t>(settings.number("num.recovery.threads.per.data.dir"))};
}

}  // namespace

BrokerOptions options_from(const BrokerConfig& config) {
  const StaticConfig& settings = config.settings;
  BrokerOptions options;
  options.cluster_id = config.cluster_id;
  // The directory of the metadata log comes first.
  options.data_directories = {config.metadata_log_dir};
  std::ranges::copy_if(config.log_dirs, std::back_inserter(options.data_directories),
                       [&](const std::string& directory) { return directory != config.metadata_log_dir; });
  for (const ListenerConfig& listener : config.listeners) {
    if (listener.for_controllers) continue;  // the quorum of a single node needs no port
    options.listeners.push_back({.name = listener.name, .host = listener.host, .port = listener.port});
    if (listener.advertised_host) {
      options.advertised[listener.name] = {.host = *listener.advertised_host,
                                           .port = listener.advertised_port};
    }
  }
  options.rack = config.rack;
  options.event_loops = config.network_threads;
  options.net = config.net;
  options.partitions = partition_options(config);
  options.controller = controller_settings(settings);
  options.snapshots.max_bytes =
      static_cast<std::uint64_t>(settings.number("metadata.log.max.record.bytes.between.snapshots"));
  options.snapshots.max_interval_ms = settings.number("metadata.log.max.snapshot.interval.ms");
  options.auto_create_topics = settings.flag("auto.create.topics.enable");
  options.fetch_max_bytes = static_cast<std::int32_t>(settings.number("fetch.max.bytes"));
  options.fetch_sessions_max =
      static_cast<std::size_t>(settings.number("max.incremental.fetch.session.cache.slots"));
  options.describe_partitions_max =
      static_cast<std::int32_t>(settings.number("max.request.partition.size.limit"));
  return options;
}

}  // namespace milena::broker
