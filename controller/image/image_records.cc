#include "controller/image/image_records.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace milena::controller {
namespace {

template <class T>
std::span<T> copied(std::span<const T> from, Arena& arena) {
  const std::span<T> to = arena.array<T>(from.size());
  std::ranges::copy(from, to.begin());
  return to;
}

template <class Wire>
std::span<Wire> wire_endpoints(const std::vector<Endpoint>& endpoints, Arena& arena) {
  const std::span<Wire> wire = arena.array<Wire>(endpoints.size());
  std::ranges::transform(endpoints, wire.begin(), [&](const Endpoint& from) {
    return Wire{.name = arena.text(from.name),
                .host = arena.text(from.host),
                .port = from.port,
                .security_protocol = from.security_protocol};
  });
  return wire;
}

template <class Wire>
std::span<Wire> wire_features(const FeatureRanges& ranges, Arena& arena) {
  const std::span<Wire> wire = arena.array<Wire>(ranges.size());
  std::ranges::transform(ranges, wire.begin(), [&](const auto& from) {
    return Wire{.name = arena.text(from.first),
                .min_supported_version = from.second.min,
                .max_supported_version = from.second.max};
  });
  return wire;
}

// Calls the sink with each record; the arena behind the records is emptied in between.
class Writer {
 public:
  Writer(const MetadataImage& image, const std::function<Status(const MetadataRecord&)>& sink)
      : image_(image), sink_(sink), version_(std::max(image.metadata_version(), kOldestMetadataVersion)) {}

  Status features() {
    // metadata.version comes first: it tells how to read the rest.
    if (image_.metadata_version() != 0) MILENA_CHECK(feature(kMetadataVersion, image_.metadata_version()));
    for (const auto& [name, level] : image_.features) {
      if (name != kMetadataVersion) MILENA_CHECK(feature(name, level));
    }
    return {};
  }

  Status cluster() {
    for (const auto& [id, broker] : image_.brokers) MILENA_CHECK(write(to_record(*broker, version_, arena_)));
    if (version_ < kMetadataVersion37Iv0) return {};
    for (const auto& [id, controller] : image_.controllers)
      MILENA_CHECK(write(to_record(*controller, arena_)));
    return {};
  }

  Status topics() {
    for (const auto& [id, topic] : image_.topics) {
      MILENA_CHECK(write({.body = protocol::TopicRecord{.name = topic->name, .topic_id = id}}));
      for (const auto& [index, partition] : topic->partitions) {
        MILENA_CHECK(write(to_record(id, index, partition->fields(), version_, arena_)));
      }
    }
    return {};
  }

  Status configs() {
    for (const auto& [resource, configs] : image_.configs) {
      for (const auto& [name, value] : *configs) {
        MILENA_CHECK(
            write({.body = protocol::ConfigRecord{.resource_type = static_cast<std::int8_t>(resource.type),
                                                  .resource_name = resource.name,
                                                  .name = name,
                                                  .value = value}}));
      }
    }
    return {};
  }

  Status client_quotas() {
    using Wire = protocol::ClientQuotaRecord;
    for (const auto& [entity, quotas] : image_.client_quotas) {
      for (const auto& [key, value] : *quotas) {
        const auto wire = arena_.array<Wire::EntityData>(entity.size());
        std::ranges::transform(entity, wire.begin(), [](const auto& part) {
          return Wire::EntityData{.entity_type = part.first, .entity_name = part.second};
        });
        MILENA_CHECK(write({.body = Wire{.entity = wire, .key = key, .value = value}}));
      }
    }
    return {};
  }

  Status producer_ids() {
    if (image_.next_producer_id < 0) return {};
    return write(
        {.body = protocol::ProducerIdsRecord{
             .broker_id = kNoBroker, .broker_epoch = -1, .next_producer_id = image_.next_producer_id}});
  }

  Status credentials() {
    for (const auto& [id, acl] : image_.acls) {
      MILENA_CHECK(
          write({.body = protocol::AccessControlEntryRecord{.id = id,
                                                            .resource_type = acl->resource_type,
                                                            .resource_name = acl->resource_name,
                                                            .pattern_type = acl->pattern_type,
                                                            .principal = acl->principal,
                                                            .host = acl->host,
                                                            .operation = acl->operation,
                                                            .permission_type = acl->permission_type}}));
    }
    for (const auto& [key, credential] : image_.scram) MILENA_CHECK(write(to_record(key, *credential)));
    for (const auto& [id, token] : image_.delegation_tokens) {
      const auto renewers = arena_.array<std::string_view>(token->renewers.size());
      std::ranges::copy(token->renewers, renewers.begin());
      MILENA_CHECK(
          write({.body = protocol::DelegationTokenRecord{.owner = token->owner,
                                                         .requester = token->requester,
                                                         .renewers = renewers,
                                                         .issue_timestamp = token->issue_timestamp,
                                                         .max_timestamp = token->max_timestamp,
                                                         .expiration_timestamp = token->expiration_timestamp,
                                                         .token_id = id}}));
    }
    return {};
  }

 private:
  Status feature(std::string_view name, FeatureLevel level) {
    return write({.body = protocol::FeatureLevelRecord{.name = name, .feature_level = level}});
  }

  Status write(const MetadataRecord& record) {
    MILENA_CHECK(sink_(record));
    arena_.reset();
    return {};
  }

  const MetadataImage& image_;
  const std::function<Status(const MetadataRecord&)>& sink_;
  const FeatureLevel version_;
  Arena arena_;
};

}  // namespace

MetadataRecord to_record(const BrokerRegistration& broker, FeatureLevel metadata_version, Arena& arena) {
  using Wire = protocol::RegisterBrokerRecord;
  const std::int16_t version = register_broker_record_version(metadata_version);
  Wire record{.broker_id = broker.id,
              .is_migrating_zk_broker = version >= 2 && broker.is_migrating_zk_broker,
              .incarnation_id = broker.incarnation_id,
              .broker_epoch = broker.epoch,
              .end_points = wire_endpoints<Wire::BrokerEndpoint>(broker.endpoints, arena),
              .features = wire_features<Wire::BrokerFeature>(broker.features, arena),
              .fenced = broker.fenced,
              .in_controlled_shutdown = broker.in_controlled_shutdown};
  if (broker.rack) record.rack = arena.text(*broker.rack);
  if (version >= 3) record.log_dirs = copied<Uuid>(broker.log_dirs, arena);
  if (version >= 4 && broker.cordoned_log_dirs) {
    record.cordoned_log_dirs = copied<Uuid>(*broker.cordoned_log_dirs, arena);
  }
  return {.body = record, .version = version};
}

MetadataRecord to_record(const ScramKey& key, const ScramCredential& credential) {
  return {.body = protocol::UserScramCredentialRecord{.name = key.user,
                                                      .mechanism = key.mechanism,
                                                      .salt = credential.salt,
                                                      .stored_key = credential.stored_key,
                                                      .server_key = credential.server_key,
                                                      .iterations = credential.iterations}};
}

MetadataRecord to_record(const ControllerRegistration& controller, Arena& arena) {
  using Wire = protocol::RegisterControllerRecord;
  return {.body = Wire{.controller_id = controller.id,
                       .incarnation_id = controller.incarnation_id,
                       .zk_migration_ready = controller.zk_migration_ready,
                       .end_points = wire_endpoints<Wire::ControllerEndpoint>(controller.endpoints, arena),
                       .features = wire_features<Wire::ControllerFeature>(controller.features, arena)}};
}

MetadataRecord to_record(const Uuid& topic, PartitionId index, const PartitionFields& partition,
                         FeatureLevel metadata_version, Arena& arena) {
  const std::int16_t version = partition_record_version(metadata_version);
  protocol::PartitionRecord record{
      .partition_id = index,
      .topic_id = topic,
      .replicas = copied(partition.replicas, arena),
      .isr = copied(partition.isr, arena),
      .removing_replicas = copied(partition.removing_replicas, arena),
      .adding_replicas = copied(partition.adding_replicas, arena),
      .leader = partition.leader,
      .leader_recovery_state = static_cast<std::int8_t>(partition.leader_recovery_state),
      .leader_epoch = partition.leader_epoch,
      .partition_epoch = partition.partition_epoch};
  if (version >= 1) record.directories = copied(partition.directories, arena);
  if (version >= 2 && !partition.elr.empty()) record.eligible_leader_replicas = copied(partition.elr, arena);
  if (version >= 2 && !partition.last_known_elr.empty()) {
    record.last_known_elr = copied(partition.last_known_elr, arena);
  }
  return {.body = record, .version = version};
}

Status for_each_record(const MetadataImage& image, const std::function<Status(const MetadataRecord&)>& sink) {
  Writer writer(image, sink);
  MILENA_CHECK(writer.features());
  MILENA_CHECK(writer.cluster());
  MILENA_CHECK(writer.topics());
  MILENA_CHECK(writer.configs());
  MILENA_CHECK(writer.client_quotas());
  MILENA_CHECK(writer.producer_ids());
  return writer.credentials();
}

}  // namespace milena::controller
