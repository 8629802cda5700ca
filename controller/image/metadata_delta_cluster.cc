// Replay of the records about brokers and controllers.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/image/metadata_delta.h"
#include "protocol/error_code.h"

namespace milena::controller {
namespace {

template <class Wire>
std::vector<Endpoint> endpoints_of(std::span<Wire> wire) {
  std::vector<Endpoint> endpoints;
  for (const Wire& from : wire) {
    endpoints.push_back({std::string(from.name), std::string(from.host), from.port, from.security_protocol});
  }
  return endpoints;
}

template <class Wire>
FeatureRanges ranges_of(std::span<Wire> wire) {
  FeatureRanges ranges;
  for (const Wire& from : wire) {
    ranges.insert_or_assign(std::string(from.name),
                            FeatureRange{from.min_supported_version, from.max_supported_version});
  }
  return ranges;
}

}  // namespace

Status MetadataDelta::apply(const protocol::RegisterBrokerRecord& record) {
  BrokerRegistration broker{.id = record.broker_id,
                            .epoch = record.broker_epoch,
                            .incarnation_id = record.incarnation_id,
                            .endpoints = endpoints_of(record.end_points),
                            .features = ranges_of(record.features),
                            .is_migrating_zk_broker = record.is_migrating_zk_broker,
                            .fenced = record.fenced,
                            .in_controlled_shutdown = record.in_controlled_shutdown,
                            .log_dirs = {record.log_dirs.begin(), record.log_dirs.end()}};
  if (record.rack) broker.rack.emplace(*record.rack);
  if (record.cordoned_log_dirs) {
    broker.cordoned_log_dirs.emplace(record.cordoned_log_dirs->begin(), record.cordoned_log_dirs->end());
  }
  put_broker(std::move(broker));
  return {};
}

Status MetadataDelta::apply(const protocol::UnregisterBrokerRecord& record) {
  MILENA_CHECK(registered_broker(record.broker_id, record.broker_epoch));
  changes_.brokers.insert(record.broker_id);
  image_.brokers.erase(record.broker_id);
  return {};
}

Status MetadataDelta::apply(const protocol::FenceBrokerRecord& record) {
  MILENA_TRY(BrokerRegistration broker, registered_broker(record.id, record.epoch));
  broker.fenced = true;
  put_broker(std::move(broker));
  return {};
}

Status MetadataDelta::apply(const protocol::UnfenceBrokerRecord& record) {
  MILENA_TRY(BrokerRegistration broker, registered_broker(record.id, record.epoch));
  broker.fenced = false;
  put_broker(std::move(broker));
  return {};
}

Status MetadataDelta::apply(const protocol::BrokerRegistrationChangeRecord& record) {
  MILENA_TRY(BrokerRegistration broker, registered_broker(record.broker_id, record.broker_epoch));
  switch (record.fenced) {
    case 0:
      break;
    case 1:
      broker.fenced = true;
      break;
    case -1:
      broker.fenced = false;
      break;
    default:
      return fail(ErrorCode::kCorruptMessage, "a registration change has an unknown fencing");
  }
  switch (record.in_controlled_shutdown) {
    case 0:
      break;
    case 1:
      broker.in_controlled_shutdown = true;
      break;
    default:
      return fail(ErrorCode::kCorruptMessage, "a registration change has an unknown shutdown state");
  }
  if (!record.log_dirs.empty()) broker.log_dirs.assign(record.log_dirs.begin(), record.log_dirs.end());
  if (record.cordoned_log_dirs) {
    broker.cordoned_log_dirs.emplace(record.cordoned_log_dirs->begin(), record.cordoned_log_dirs->end());
  }
  put_broker(std::move(broker));
  return {};
}

Status MetadataDelta::apply(const protocol::RegisterControllerRecord& record) {
  changes_.controllers.insert(record.controller_id);
  image_.controllers.set(record.controller_id, Shared(ControllerRegistration{
                                                   .id = record.controller_id,
                                                   .incarnation_id = record.incarnation_id,
                                                   .zk_migration_ready = record.zk_migration_ready,
                                                   .endpoints = endpoints_of(record.end_points),
                                                   .features = ranges_of(record.features),
                                               }));
  return {};
}

Status MetadataDelta::apply(const protocol::UnregisterControllerRecord& record) {
  changes_.controllers.insert(record.controller_id);
  if (!image_.controllers.erase(record.controller_id)) {
    return fail(ErrorCode::kCorruptMessage, "unregisters an unknown controller");
  }
  return {};
}

Result<BrokerRegistration> MetadataDelta::registered_broker(BrokerId id, std::int64_t epoch) const {
  const BrokerRegistration* broker = image_.broker(id);
  if (broker == nullptr) return fail(ErrorCode::kCorruptMessage, "changes a broker that is not registered");
  if (broker->epoch != epoch) return fail(ErrorCode::kCorruptMessage, "changes a broker of another epoch");
  return *broker;
}

void MetadataDelta::put_broker(BrokerRegistration broker) {
  const BrokerId id = broker.id;
  changes_.brokers.insert(id);
  image_.brokers.set(id, Shared(std::move(broker)));
}

}  // namespace milena::controller
