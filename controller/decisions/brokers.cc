#include "controller/decisions/brokers.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "controller/decisions/finalized_features.h"
#include "controller/decisions/leadership.h"
#include "controller/image/image_records.h"

namespace milena::controller {
namespace {

using Registration = protocol::BrokerRegistrationRequest;
using Heartbeat = protocol::BrokerHeartbeatRequest;

Decided<void> check_directories(const MetadataImage& image, const Registration& request) {
  if (image.metadata_version() < kMetadataVersion37Iv2) return {};
  if (request.log_dirs.empty()) {
    return refuse(ErrorCode::kInvalidRegistration, "No directories specified in request");
  }
  std::set<Uuid> seen;
  for (const Uuid& dir : request.log_dirs) {
    if (is_reserved_directory(dir)) {
      return refuse(ErrorCode::kInvalidRegistration, "Reserved directory ID in request");
    }
    if (!seen.insert(dir).second) {
      return refuse(ErrorCode::kInvalidRegistration, "Duplicate directory ID in request");
    }
  }
  for (const auto& [id, broker] : image.brokers) {
    if (id == request.broker_id) continue;
    const auto taken =
        std::ranges::find_if(broker->log_dirs, [&](const Uuid& dir) { return seen.contains(dir); });
    if (taken != broker->log_dirs.end()) {
      return refuse(
          ErrorCode::kInvalidRegistration,
          fmt::format("Broker {} is already registered with directory {}", id.value, taken->to_string()));
    }
  }
  return {};
}

Decided<void> check_feature(std::string_view name, FeatureLevel finalized, const FeatureRange& supported) {
  if (supported.contains(finalized)) return {};
  return refuse(
      ErrorCode::kUnsupportedVersion,
      fmt::format("Unable to register because the broker does not support finalized version {} of {}. The "
                  "broker wants a version between {} and {}, inclusive.",
                  finalized, name, supported.min, supported.max));
}

// The broker must understand every feature at the level that the cluster uses, unless it can serve without
// it.
Decided<FeatureRanges> check_features(const MetadataImage& image, FeatureLevel kraft_version,
                                      const Registration& request) {
  FeatureLevels finalized = image.features;
  if (kraft_version > 0) finalized.emplace(kKRaftVersion, kraft_version);
  FeatureRanges ranges;
  for (const auto& feature : request.features) {
    const FeatureRange range{feature.min_supported_version, feature.max_supported_version};
    const auto level = finalized.find(feature.name);
    MILENA_CHECK(
        check_feature(feature.name, level != finalized.end() ? level->second : FeatureLevel{0}, range));
    ranges.insert_or_assign(std::string(feature.name), range);
  }
  if (!ranges.contains(kMetadataVersion)) {
    return refuse(ErrorCode::kInvalidRegistration, "Request features do not contain 'metadata.version'");
  }
  for (const auto& [name, level] : finalized) {
    if (!ranges.contains(name) && !only_adds_groups(name)) MILENA_CHECK(check_feature(name, level, {}));
  }
  return ranges;
}

Decided<BrokerRegistration> checked_registration(const DecisionContext& context,
                                                 const BrokerSessions& sessions, std::int64_t now_ms,
                                                 FeatureLevel kraft_version, const Registration& request) {
  if (request.cluster_id != context.settings.cluster_id) {
    return refuse(ErrorCode::kInconsistentClusterId,
                  fmt::format("Expected cluster ID {}, but got cluster ID {}", context.settings.cluster_id,
                              request.cluster_id));
  }
  const BrokerRegistration* existing = context.image.broker(request.broker_id);
  if (existing != nullptr && existing->incarnation_id != request.incarnation_id &&
      sessions.is_alive(request.broker_id, existing->epoch, now_ms)) {
    return refuse(ErrorCode::kDuplicateBrokerRegistration,
                  "Another broker is registered with that broker id.");
  }
  if (request.is_migrating_zk_broker) {
    return refuse(ErrorCode::kBrokerIdNotRegistered, "Controller does not support registering ZK brokers.");
  }
  MILENA_CHECK(check_directories(context.image, request));
  MILENA_TRY(FeatureRanges features, check_features(context.image, kraft_version, request));
  BrokerRegistration broker{.id = request.broker_id,
                            .incarnation_id = request.incarnation_id,
                            .features = std::move(features),
                            .log_dirs = {request.log_dirs.begin(), request.log_dirs.end()}};
  for (const auto& listener : request.listeners) {
    broker.endpoints.push_back(
        {std::string(listener.name), std::string(listener.host), listener.port, listener.security_protocol});
  }
  if (request.rack) broker.rack.emplace(*request.rack);
  return broker;
}

Decided<const BrokerRegistration*> registered(const MetadataImage& image, BrokerId id, std::int64_t epoch) {
  const BrokerRegistration* broker = image.broker(id);
  if (broker == nullptr || broker->epoch != epoch) return refuse(ErrorCode::kStaleBrokerEpoch);
  return broker;
}

MetadataRecord fencing(const BrokerRegistration& broker, std::int8_t fenced) {
  return {.body = protocol::BrokerRegistrationChangeRecord{
              .broker_id = broker.id, .broker_epoch = broker.epoch, .fenced = fenced}};
}

// Each of these three also moves what lies in the directories that failed with the same heartbeat, so that
// no partition is decided about twice from one state.
using Directories = std::span<const Uuid>;

// Followers take over first, then the broker is fenced.
void append_fencing(const DecisionContext& context, const BrokerRegistration& broker, Directories failed,
                    std::vector<MetadataRecord>& records) {
  append_leadership_changes(context, {.leaving = broker.id, .failed_directories = failed}, records);
  records.push_back(fencing(broker, 1));
}

// The broker may lead first, then it is elected.
void append_unfencing(const DecisionContext& context, const BrokerRegistration& broker, Directories failed,
                      std::vector<MetadataRecord>& records) {
  records.push_back(fencing(broker, -1));
  append_leadership_changes(context, {.joining = broker.id, .failed_directories = failed}, records);
}

void append_controlled_shutdown(const DecisionContext& context, const BrokerRegistration& broker,
                                Directories failed, std::vector<MetadataRecord>& records) {
  if (!broker.in_controlled_shutdown) {
    records.push_back({.body = protocol::BrokerRegistrationChangeRecord{.broker_id = broker.id,
                                                                        .broker_epoch = broker.epoch,
                                                                        .in_controlled_shutdown = 1},
                       .version = 1});
  }
  append_leadership_changes(context, {.leaving = broker.id, .failed_directories = failed}, records);
}

enum class BrokerState : std::uint8_t { kFenced, kUnfenced, kControlledShutdown, kShutdownNow };

BrokerState next_state(const DecisionContext& context, const BrokerSessions& sessions,
                       const Heartbeat& request, const BrokerRegistration& broker) {
  if (const auto entered_at = sessions.shutdown_offset(broker.id)) {
    const bool others_know = *entered_at <= sessions.lowest_active_offset(context.image);
    return others_know && !has_leaderships(context.image, broker.id) ? BrokerState::kShutdownNow
                                                                     : BrokerState::kControlledShutdown;
  }
  if (broker.fenced) {
    if (request.want_shut_down) return BrokerState::kShutdownNow;
    // The registration stands at the broker's epoch: whoever has applied it knows itself.
    const bool caught_up = request.current_metadata_offset >= Offset(broker.epoch);
    return !request.want_fence && caught_up ? BrokerState::kUnfenced : BrokerState::kFenced;
  }
  if (request.want_fence) return request.want_shut_down ? BrokerState::kShutdownNow : BrokerState::kFenced;
  if (!request.want_shut_down) return BrokerState::kUnfenced;
  return has_leaderships(context.image, broker.id) ? BrokerState::kControlledShutdown
                                                   : BrokerState::kShutdownNow;
}

bool contains(Directories list, const Uuid& directory) {
  return std::ranges::find(list, directory) != list.end();
}

std::vector<Uuid> registered_among(const BrokerRegistration& broker, Directories list) {
  std::vector<Uuid> found = broker.log_dirs;
  std::erase_if(found, [&](const Uuid& directory) { return !contains(list, directory); });
  return found;
}

std::vector<Uuid> registered_except(const BrokerRegistration& broker, Directories list) {
  std::vector<Uuid> found = broker.log_dirs;
  std::erase_if(found, [&](const Uuid& directory) { return contains(list, directory); });
  return found;
}

// Takes failed directories out of the registration, until a registration lists them again. A record cannot
// say that a broker has no directory left: none is written then, and such a broker has to stop (as Kafka's
// does) or to report them in every heartbeat.
void append_directory_failure(const DecisionContext& context, const BrokerRegistration& broker,
                              Directories failed, std::vector<MetadataRecord>& records) {
  const std::vector<Uuid> left = registered_except(broker, failed);
  if (failed.empty() || left.empty()) return;
  const std::span<Uuid> log_dirs = context.arena.array<Uuid>(left.size());
  std::ranges::copy(left, log_dirs.begin());
  records.push_back({.body =
                         protocol::BrokerRegistrationChangeRecord{
                             .broker_id = broker.id, .broker_epoch = broker.epoch, .log_dirs = log_dirs},
                     .version = 2});
}

void append_cordoning(const DecisionContext& context, const Heartbeat& request,
                      const BrokerRegistration& broker, std::vector<MetadataRecord>& records) {
  if (!request.cordoned_log_dirs || context.image.metadata_version() < kMetadataVersion43Iv0) return;
  const std::set<Uuid> now(request.cordoned_log_dirs->begin(), request.cordoned_log_dirs->end());
  if (broker.cordoned_log_dirs &&
      now == std::set<Uuid>(broker.cordoned_log_dirs->begin(), broker.cordoned_log_dirs->end())) {
    return;
  }
  records.push_back(
      {.body = protocol::BrokerRegistrationChangeRecord{.broker_id = broker.id,
                                                        .broker_epoch = broker.epoch,
                                                        .cordoned_log_dirs = request.cordoned_log_dirs},
       .version = 3});
}

}  // namespace

Outcome<protocol::BrokerRegistrationResponse> register_broker(const DecisionContext& context,
                                                              BrokerSessions& sessions, std::int64_t now_ms,
                                                              Offset next_offset, FeatureLevel kraft_version,
                                                              const Registration& request) {
  auto checked = checked_registration(context, sessions, now_ms, kraft_version, request);
  if (!checked) return {.response = {.error_code = checked.error().code}};
  BrokerRegistration broker = *std::move(checked);
  const BrokerRegistration* existing = context.image.broker(request.broker_id);
  Outcome<protocol::BrokerRegistrationResponse> outcome;
  if (existing != nullptr && existing->incarnation_id == request.incarnation_id) {
    broker.epoch = existing->epoch;
    broker.fenced = existing->fenced;
    broker.in_controlled_shutdown = existing->in_controlled_shutdown;
    const std::vector<Uuid> gone = registered_except(*existing, broker.log_dirs);
    append_leadership_changes(context, {.failed_directories = gone}, outcome.records);
  } else {
    broker.epoch = next_offset.value;
    const bool elr = elr_enabled(context.image);
    const bool clean = elr && existing != nullptr && existing->epoch == request.previous_broker_epoch;
    append_leadership_changes(
        context,
        elr && !clean ? BrokerEvent{.unclean_shutdown = broker.id} : BrokerEvent{.leaving = broker.id},
        outcome.records);
    sessions.forget(broker.id);
  }
  outcome.records.push_back(to_record(broker, context.image.metadata_version(), context.arena));
  sessions.contact(broker.id, broker.epoch, now_ms, -1);
  outcome.response.broker_epoch = broker.epoch;
  return outcome;
}

Outcome<protocol::BrokerHeartbeatResponse> broker_heartbeat(const DecisionContext& context,
                                                            BrokerSessions& sessions, std::int64_t now_ms,
                                                            Offset next_offset, const Heartbeat& request) {
  const auto found = registered(context.image, request.broker_id, request.broker_epoch);
  if (!found) return {.response = {.error_code = found.error().code}};
  const BrokerRegistration& broker = **found;
  sessions.contact(broker.id, broker.epoch, now_ms, request.current_metadata_offset);
  const BrokerState next = next_state(context, sessions, request, broker);
  std::vector<Uuid> failed;
  if (context.image.metadata_version() >= kMetadataVersion37Iv2) {
    failed = registered_among(broker, request.offline_log_dirs);
  }
  Outcome<protocol::BrokerHeartbeatResponse> outcome;
  std::vector<MetadataRecord>& records = outcome.records;
  const bool is_leaving = next == BrokerState::kFenced || next == BrokerState::kShutdownNow;
  if (is_leaving && !broker.fenced) {
    append_fencing(context, broker, failed, records);
  } else if (next == BrokerState::kUnfenced && broker.fenced) {
    append_unfencing(context, broker, failed, records);
  } else if (next == BrokerState::kControlledShutdown && !sessions.shutdown_offset(broker.id)) {
    append_controlled_shutdown(context, broker, failed, records);
    sessions.set_shutdown_offset(broker.id, next_offset + static_cast<std::int64_t>(records.size()) - 1);
  } else if (!failed.empty()) {
    append_leadership_changes(context, {.failed_directories = failed}, records);
  }
  append_directory_failure(context, broker, failed, records);
  append_cordoning(context, request, broker, records);
  outcome.response.is_caught_up = request.current_metadata_offset >= Offset(broker.epoch);
  outcome.response.is_fenced = is_leaving;
  outcome.response.should_shut_down = next == BrokerState::kShutdownNow;
  return outcome;
}

std::vector<MetadataRecord> fence_expired_broker(const DecisionContext& context, BrokerSessions& sessions,
                                                 std::int64_t now_ms) {
  std::vector<MetadataRecord> records;
  if (const auto expired = sessions.expired(context.image, now_ms)) {
    append_fencing(context, *context.image.broker(*expired), {}, records);
    sessions.forget(*expired);
  }
  return records;
}

Outcome<protocol::UnregisterBrokerResponse> unregister_broker(
    const DecisionContext& context, BrokerSessions& sessions,
    const protocol::UnregisterBrokerRequest& request) {
  const BrokerRegistration* broker = context.image.broker(request.broker_id);
  if (broker == nullptr) {
    const std::string message =
        fmt::format("Broker ID {} is not currently registered", request.broker_id.value);
    return {.response = {.error_code = ErrorCode::kBrokerIdNotRegistered,
                         .error_message = context.arena.text(message)}};
  }
  Outcome<protocol::UnregisterBrokerResponse> outcome;
  append_leadership_changes(context, {.leaving = broker->id}, outcome.records);
  outcome.records.push_back(
      {.body = protocol::UnregisterBrokerRecord{.broker_id = broker->id, .broker_epoch = broker->epoch}});
  sessions.forget(broker->id);
  return outcome;
}

Outcome<protocol::ControllerRegistrationResponse> register_controller(
    const DecisionContext& context, const protocol::ControllerRegistrationRequest& request) {
  if (context.image.metadata_version() < kMetadataVersion37Iv0) {
    return {.response = {.error_code = ErrorCode::kUnsupportedVersion,
                         .error_message = "The current MetadataVersion is too old to support controller "
                                          "registrations."}};
  }
  ControllerRegistration controller{.id = request.controller_id, .incarnation_id = request.incarnation_id};
  for (const auto& listener : request.listeners) {
    controller.endpoints.push_back(
        {std::string(listener.name), std::string(listener.host), listener.port, listener.security_protocol});
  }
  for (const auto& feature : request.features) {
    controller.features.insert_or_assign(
        std::string(feature.name),
        FeatureRange{feature.min_supported_version, feature.max_supported_version});
  }
  return {.response = {}, .records = {to_record(controller, context.arena)}};
}

}  // namespace milena::controller
