#include "controller/controller.h"

#include <algorithm>
#include <utility>

namespace milena::controller {

Controller::Controller(ControllerSettings settings, MetadataLoader loader, Rng& rng)
    : settings_(std::move(settings)),
      loader_(std::move(loader)),
      rng_(rng),
      sessions_(settings_.broker_session_timeout_ms) {
  for (const auto& [name, id] : loader_.image()->topic_ids) names_.add(name);
}

Result<std::optional<MetadataUpdate>> Controller::replay(const MetadataBatch& batch) {
  const MetadataImagePtr before = loader_.image();
  MILENA_TRY(std::optional<MetadataUpdate> update, loader_.load(batch));
  if (!update) return update;
  for (const auto& [id, partitions] : update->changes.topics) {
    const Topic* was = before->topic(id);
    const Topic* is = update->image->topic(id);
    if (was != nullptr && is == nullptr) names_.remove(was->name);
    if (was == nullptr && is != nullptr) names_.add(is->name);
  }
  return update;
}

std::vector<MetadataRecord> Controller::activate(std::int64_t now_ms, const Bootstrap& bootstrap,
                                                 Arena& arena) {
  sessions_.activate(*image(), settings_.node_id, now_ms);
  return activation_records(context(arena), loader_.transaction_start(), bootstrap);
}

Result<std::vector<std::vector<std::byte>>> Controller::encode(std::span<const MetadataRecord> records,
                                                               protocol::LeaderEpoch epoch,
                                                               std::int64_t wall_ms) const {
  std::vector<std::vector<std::byte>> batches;
  BatchPosition position{.base_offset = next_offset(), .epoch = epoch, .timestamp_ms = wall_ms};
  while (!records.empty()) {
    const auto some = records.first(std::min(records.size(), kMaxRecordsPerOperation));
    MILENA_TRY(std::vector<std::byte> batch, encode_metadata_batch(some, position));
    batches.push_back(std::move(batch));
    position.base_offset += static_cast<std::int64_t>(some.size());
    records = records.subspan(some.size());
  }
  return batches;
}

Outcome<protocol::CreateTopicsResponse> Controller::create_topics(
    const protocol::CreateTopicsRequest& request, const CreateTopicsAccess& access, Arena& arena) {
  return controller::create_topics(context(arena), names_, request, access);
}

Outcome<protocol::DeleteTopicsResponse> Controller::delete_topics(
    const protocol::DeleteTopicsRequest& request, int api_version, const DeleteTopicsAccess& access,
    Arena& arena) {
  return controller::delete_topics(context(arena), request, api_version, access);
}

Outcome<protocol::CreatePartitionsResponse> Controller::create_partitions(
    const protocol::CreatePartitionsRequest& request, const TopicPredicate& may_alter, Arena& arena) {
  return controller::create_partitions(context(arena), request, may_alter);
}

Outcome<protocol::ElectLeadersResponse> Controller::elect_leaders(
    const protocol::ElectLeadersRequest& request, Arena& arena) {
  return controller::elect_leaders(context(arena), request);
}

Outcome<protocol::IncrementalAlterConfigsResponse> Controller::incremental_alter_configs(
    const protocol::IncrementalAlterConfigsRequest& request, const AlterConfigsAccess& access, Arena& arena) {
  return controller::incremental_alter_configs(context(arena), request, access);
}

Outcome<protocol::AlterConfigsResponse> Controller::alter_configs(
    const protocol::AlterConfigsRequest& request, const AlterConfigsAccess& access, Arena& arena) {
  return controller::alter_configs(context(arena), request, access);
}

Outcome<protocol::UpdateFeaturesResponse> Controller::update_features(
    const protocol::UpdateFeaturesRequest& request, int api_version, FeatureLevel kraft_version,
    Arena& arena) {
  return controller::update_features(context(arena), request, api_version, kraft_version);
}

Outcome<protocol::BrokerRegistrationResponse> Controller::register_broker(
    std::int64_t now_ms, const protocol::BrokerRegistrationRequest& request, FeatureLevel kraft_version,
    Arena& arena) {
  return controller::register_broker(context(arena), sessions_, now_ms, next_offset(), kraft_version,
                                     request);
}

Outcome<protocol::BrokerHeartbeatResponse> Controller::broker_heartbeat(
    std::int64_t now_ms, const protocol::BrokerHeartbeatRequest& request, Arena& arena) {
  return controller::broker_heartbeat(context(arena), sessions_, now_ms, next_offset(), request);
}

Outcome<protocol::AssignReplicasToDirsResponse> Controller::assign_directories(
    const protocol::AssignReplicasToDirsRequest& request, Arena& arena) {
  return controller::assign_directories(context(arena), request);
}

Outcome<protocol::UnregisterBrokerResponse> Controller::unregister_broker(
    const protocol::UnregisterBrokerRequest& request, Arena& arena) {
  return controller::unregister_broker(context(arena), sessions_, request);
}

Outcome<protocol::ControllerRegistrationResponse> Controller::register_controller(
    const protocol::ControllerRegistrationRequest& request, Arena& arena) {
  return controller::register_controller(context(arena), request);
}

Outcome<protocol::AllocateProducerIdsResponse> Controller::allocate_producer_ids(
    const protocol::AllocateProducerIdsRequest& request, Arena& arena) {
  return controller::allocate_producer_ids(context(arena), request);
}

std::vector<MetadataRecord> Controller::tick(std::int64_t now_ms, Arena& arena) {
  return fence_expired_broker(context(arena), sessions_, now_ms);
}

}  // namespace milena::controller
