// Controller: the active controller of the cluster, as a replicated state machine without I/O.
//
// Owned by whoever hosts the active controller; not thread-safe. Every verb is decide -> records -> replay:
//   1. a verb looks at the state and returns a response and records; it changes nothing of the cluster's
//      state,
//   2. the caller encodes the records (encode) and appends the batches at next_offset(),
//   3. the caller hands every batch that is appended to replay(): the only way in which the state changes,
//   4. the response leaves once everything that was appended by then is committed.
// A verb must see what the verbs before it wrote: between two verbs with records lies the replay of the first
// one's. So the state runs ahead of what is committed, and is shown to nobody. If an append fails, nothing
// was changed. README.md beside this file says how a broker drives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "base/rng.h"
#include "controller/decisions/alter_configs.h"
#include "controller/decisions/assign_directories.h"
#include "controller/decisions/bootstrap.h"
#include "controller/decisions/broker_sessions.h"
#include "controller/decisions/brokers.h"
#include "controller/decisions/create_topics.h"
#include "controller/decisions/decision.h"
#include "controller/decisions/delete_topics.h"
#include "controller/decisions/elect_leaders.h"
#include "controller/decisions/features.h"
#include "controller/decisions/producer_ids.h"
#include "controller/decisions/topic_names.h"
#include "controller/image/metadata_loader.h"
#include "controller/records/metadata_batch.h"

namespace milena::controller {

class Controller {
 public:
  // Goes on from what `loader` has read. `rng` makes topic ids and spreads replicas; it outlives the
  // controller.
  Controller(ControllerSettings settings, MetadataLoader loader, Rng& rng);

  // As of the last replayed batch that left no transaction open.
  const MetadataImagePtr& image() const { return loader_.image(); }
  Offset next_offset() const { return loader_.next_offset(); }

  // Applies the next batch of the log. kCorruptMessage: see MetadataLoader; the node has to stop.
  Result<std::optional<MetadataUpdate>> replay(const MetadataBatch& batch);

  // The node has become leader of the quorum: the records to write before any verb. Monotonic time, as
  // everywhere.
  std::vector<MetadataRecord> activate(std::int64_t now_ms, const Bootstrap& bootstrap, Arena& arena);

  // The records as batches to be appended one after the other at next_offset(). What one verb of a user's
  // request returns is always one batch; fencing a broker with very many partitions may take several.
  // kRecordListTooLarge when a batch would exceed 8 MiB: answer the request with POLICY_VIOLATION.
  Result<std::vector<std::vector<std::byte>>> encode(std::span<const MetadataRecord> records,
                                                     protocol::LeaderEpoch epoch, std::int64_t wall_ms) const;

  // Topics. Responses and records point into request and arena.
  Outcome<protocol::CreateTopicsResponse> create_topics(const protocol::CreateTopicsRequest& request,
                                                        const CreateTopicsAccess& access, Arena& arena);
  Outcome<protocol::DeleteTopicsResponse> delete_topics(const protocol::DeleteTopicsRequest& request,
                                                        int api_version, const DeleteTopicsAccess& access,
                                                        Arena& arena);
  Outcome<protocol::CreatePartitionsResponse> create_partitions(
      const protocol::CreatePartitionsRequest& request, const TopicPredicate& may_alter, Arena& arena);
  Outcome<protocol::ElectLeadersResponse> elect_leaders(const protocol::ElectLeadersRequest& request,
                                                        Arena& arena);

  // Configuration and features. `kraft_version` is RaftCore's.
  Outcome<protocol::IncrementalAlterConfigsResponse> incremental_alter_configs(
      const protocol::IncrementalAlterConfigsRequest& request, const AlterConfigsAccess& access,
      Arena& arena);
  Outcome<protocol::AlterConfigsResponse> alter_configs(const protocol::AlterConfigsRequest& request,
                                                        const AlterConfigsAccess& access, Arena& arena);
  Outcome<protocol::UpdateFeaturesResponse> update_features(const protocol::UpdateFeaturesRequest& request,
                                                            int api_version, FeatureLevel kraft_version,
                                                            Arena& arena);

  // Brokers and controllers. The caller has checked that the principal may act for the cluster.
  Outcome<protocol::BrokerRegistrationResponse> register_broker(
      std::int64_t now_ms, const protocol::BrokerRegistrationRequest& request, FeatureLevel kraft_version,
      Arena& arena);
  Outcome<protocol::BrokerHeartbeatResponse> broker_heartbeat(std::int64_t now_ms,
                                                              const protocol::BrokerHeartbeatRequest& request,
                                                              Arena& arena);
  Outcome<protocol::AssignReplicasToDirsResponse> assign_directories(
      const protocol::AssignReplicasToDirsRequest& request, Arena& arena);
  Outcome<protocol::UnregisterBrokerResponse> unregister_broker(
      const protocol::UnregisterBrokerRequest& request, Arena& arena);
  Outcome<protocol::ControllerRegistrationResponse> register_controller(
      const protocol::ControllerRegistrationRequest& request, Arena& arena);
  Outcome<protocol::AllocateProducerIdsResponse> allocate_producer_ids(
      const protocol::AllocateProducerIdsRequest& request, Arena& arena);

  // Fences one broker whose session has ended. Call it every eighth of the session timeout, and again while
  // it returns records.
  std::vector<MetadataRecord> tick(std::int64_t now_ms, Arena& arena);

 private:
  DecisionContext context(Arena& arena) const { return {*loader_.image(), settings_, rng_, arena}; }

  ControllerSettings settings_;
  MetadataLoader loader_;
  Rng& rng_;
  TopicNameIndex names_;  // of the image's topics
  BrokerSessions sessions_;
};

}  // namespace milena::controller
