#include "broker/handlers/handlers.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "broker/fetch/fetch_sessions.h"
#include "broker/handlers/acls.h"
#include "broker/handlers/api_versions.h"
#include "broker/handlers/controller_handlers.h"
#include "broker/handlers/delegation_tokens.h"
#include "broker/handlers/delete_records.h"
#include "broker/handlers/describe_cluster.h"
#include "broker/handlers/describe_configs.h"
#include "broker/handlers/describe_log_dirs.h"
#include "broker/handlers/describe_producers.h"
#include "broker/handlers/describe_quorum.h"
#include "broker/handlers/describe_topic_partitions.h"
#include "broker/handlers/fetch.h"
#include "broker/handlers/find_coordinator.h"
#include "broker/handlers/group_admin.h"
#include "broker/handlers/group_membership.h"
#include "broker/handlers/init_producer_id.h"
#include "broker/handlers/list_config_resources.h"
#include "broker/handlers/list_offsets.h"
#include "broker/handlers/list_reassignments.h"
#include "broker/handlers/metadata.h"
#include "broker/handlers/offset_for_leader_epoch.h"
#include "broker/handlers/offsets.h"
#include "broker/handlers/produce_service.h"
#include "broker/handlers/transactions.h"
#include "broker/handlers/txn_offset_commit.h"
#include "broker/handlers/write_txn_markers.h"
#include "broker/node_settings.h"

namespace milena::broker {
namespace {

using protocol::ApiKey;

}  // namespace

struct Handlers::Parts {
  Parts(const BrokerConfig& config_, const Clock& clock, Rng& rng, PartitionFinder& partitions_)
      : config(config_),
        partitions(partitions_),
        advertised(config_.listeners),
        router(clock, advertised),
        sessions(rng, {.max_sessions = static_cast<std::size_t>(
                           config_.settings.number("max.incremental.fetch.session.cache.slots"))}) {}

  void serve_data(const Services& services);
  void serve_metadata(const Services& services);
  void serve_groups(const Services& services);
  void serve_transactions(const Services& services);
  void serve_security();

  const BrokerConfig& config;
  PartitionFinder& partitions;
  AdvertisedAddress advertised;
  Router router;
  FetchSessions sessions;
  std::atomic<bool> verifies_transactions = true;  // transaction.partition.verification.enable

  std::optional<ProduceService> produce;
  std::optional<FetchHandler> fetch;
  std::optional<MetadataHandler> metadata_requests;
  std::optional<GroupMembershipHandlers> members;
  std::optional<OffsetHandlers> offsets;
  std::optional<GroupAdminHandlers> group_admin;
  std::optional<TransactionHandlers> transactions;
  std::optional<ApiVersionsHandler> api_versions;
};

Handlers::Handlers(const BrokerConfig& config, const Clock& clock, Rng& rng, PartitionFinder& partitions)
    : parts_(std::make_unique<Parts>(config, clock, rng, partitions)) {}

Handlers::~Handlers() = default;

RequestHandler& Handlers::router() { return parts_->router; }

void Handlers::configure(const ConfigValues& now) {
  parts_->verifies_transactions = now.flag("transaction.partition.verification.enable");
}

void Handlers::serve(const Services& services) {
  parts_->serve_data(services);
  parts_->serve_metadata(services);
  parts_->serve_groups(services);
  parts_->serve_transactions(services);
  parts_->serve_security();
  parts_->router.serve_undecoded(
      ApiKey::kApiVersions,
      [this](Call& call, Responder responder) { parts_->api_versions->handle(call, std::move(responder)); },
      ApiVersionsHandler::kMaxVersion);
  parts_->api_versions.emplace(parts_->router.served(), supported_features(), services.metadata,
                               services.client_software);
}

void Handlers::Parts::serve_data(const Services& services) {
  produce.emplace(partitions, services.transactions, verifies_transactions, transaction_check_options(config),
                  services.loops);
  router.serve<protocol::ProduceRequest>(ApiKey::kProduce,
                                         [this](Call& call, const auto& request, Responder responder) {
                                           produce->handle(call, request, std::move(responder));
                                         });
  fetch.emplace(partitions, sessions, services.metadata, config.node_id,
                static_cast<std::int32_t>(config.settings.number("fetch.max.bytes")), services.loops);
  router.serve<protocol::FetchRequest>(ApiKey::kFetch,
                                       [this](Call& call, const auto& request, Responder responder) {
                                         fetch->handle(call, request, std::move(responder));
                                       });
  router.answer<protocol::ListOffsetsRequest>(
      ApiKey::kListOffsets,
      [handler = ListOffsetsHandler(partitions)](Call& call, const auto& request) mutable {
        return handler.handle(call, request);
      });
  router.answer<protocol::OffsetForLeaderEpochRequest>(
      ApiKey::kOffsetForLeaderEpoch,
      [handler = OffsetForLeaderEpochHandler(partitions)](Call& call, const auto& request) mutable {
        return handler.handle(call, request);
      });
  router.answer<protocol::DescribeProducersRequest>(
      ApiKey::kDescribeProducers,
      [handler = DescribeProducersHandler(partitions)](Call& call, const auto& request) mutable {
        return handler.handle(call, request);
      });
  router.serve<protocol::DescribeLogDirsRequest>(
      ApiKey::kDescribeLogDirs, [handler = DescribeLogDirsHandler(services.partitions)](
                                    Call& call, const auto& request, Responder responder) mutable {
        handler.handle(call, request, std::move(responder));
      });
  router.serve<protocol::DeleteRecordsRequest>(
      ApiKey::kDeleteRecords, [handler = DeleteRecordsHandler(partitions, services.partitions)](
                                  Call& call, const auto& request, Responder responder) mutable {
        handler.handle(call, request, std::move(responder));
      });
}

void Handlers::Parts::serve_metadata(const Services& services) {
  const auto self = config.node_id;
  serve_controller_requests(router, services.controller);
  metadata_requests.emplace(services.cluster_id, self, services.metadata, services.controller,
                            config.settings);
  router.serve<protocol::MetadataRequest>(ApiKey::kMetadata,
                                          [this](Call& call, const auto& request, Responder responder) {
                                            metadata_requests->handle(call, request, std::move(responder));
                                          });

  auto& metadata = services.metadata;
  router.serve<protocol::DescribeClusterRequest>(
      ApiKey::kDescribeCluster, [handler = DescribeClusterHandler(services.cluster_id, self), &metadata](
                                    Call& call, const auto& request, Responder responder) {
        const auto image = metadata.image();
        responder.send(handler.handle(call, request, *image));
      });
  router.serve<protocol::DescribeTopicPartitionsRequest>(
      ApiKey::kDescribeTopicPartitions,
      [handler = DescribeTopicPartitionsHandler(
           self, static_cast<std::int32_t>(config.settings.number("max.request.partition.size.limit"))),
       &metadata](Call& call, const auto& request, Responder responder) {
        const auto image = metadata.image();
        const auto response = handler.handle(call, request, *image);
        if (!response) return responder.close(response.error().why);
        responder.send(*response);
      });
  router.serve<protocol::DescribeConfigsRequest>(
      ApiKey::kDescribeConfigs,
      [handler = DescribeConfigsHandler(config, services.configuration,
                                        {services.client_ports.begin(), services.client_ports.end()}),
       &metadata](Call& call, const auto& request, Responder responder) {
        const auto image = metadata.image();
        responder.send(handler.handle(call, request, *image));
      });
  router.serve<protocol::ListConfigResourcesRequest>(
      ApiKey::kListConfigResources, [&metadata, self](Call& call, const auto& request, Responder responder) {
        const auto image = metadata.image();
        responder.send(list_config_resources(call, request, *image, self));
      });
  router.serve<protocol::ListPartitionReassignmentsRequest>(
      ApiKey::kListPartitionReassignments, [&metadata](Call& call, const auto& request, Responder responder) {
        const auto image = metadata.image();
        responder.send(list_reassignments(request, *image, call.arena));
      });
  router.serve<protocol::DescribeQuorumRequest>(
      ApiKey::kDescribeQuorum,
      [&quorum = services.quorum](Call& call, const auto& request, Responder responder) {
        const auto view = quorum.view();
        responder.send(describe_quorum(request, view, call.arena));
      });
}

void Handlers::Parts::serve_transactions(const Services& services) {
  transactions.emplace(services.transactions, services.groups, services.metadata);
  const auto to = [this](auto verb) {
    return [this, verb](Call& call, const auto& request, Responder responder) {
      ((*transactions).*verb)(call, request, std::move(responder));
    };
  };
  using Transactions = TransactionHandlers;
  router.serve<protocol::InitProducerIdRequest>(
      ApiKey::kInitProducerId, [handler = InitProducerIdHandler(services.producer_ids, *transactions)](
                                   Call& call, const auto& request, Responder responder) mutable {
        handler.handle(call, request, std::move(responder));
      });
  router.serve<protocol::AddPartitionsToTxnRequest>(ApiKey::kAddPartitionsToTxn,
                                                    to(&Transactions::add_partitions));
  router.serve<protocol::AddOffsetsToTxnRequest>(ApiKey::kAddOffsetsToTxn, to(&Transactions::add_offsets));
  router.serve<protocol::EndTxnRequest>(ApiKey::kEndTxn, to(&Transactions::end));
  router.serve<protocol::DescribeTransactionsRequest>(ApiKey::kDescribeTransactions,
                                                      to(&Transactions::describe));
  router.serve<protocol::ListTransactionsRequest>(ApiKey::kListTransactions, to(&Transactions::list));
  router.serve<protocol::TxnOffsetCommitRequest>(
      ApiKey::kTxnOffsetCommit, [handler = TxnOffsetCommitHandler(services.groups, services.transactions,
                                                                  services.metadata, verifies_transactions)](
                                    Call& call, const auto& request, Responder responder) mutable {
        handler.handle(call, request, std::move(responder));
      });
  router.serve<protocol::WriteTxnMarkersRequest>(
      ApiKey::kWriteTxnMarkers, [handler = WriteTxnMarkersHandler(services.markers)](
                                    Call& call, const auto& request, Responder responder) mutable {
        handler.handle(call, request, std::move(responder));
      });
}

void Handlers::Parts::serve_security() {
  router.serve<protocol::DescribeAclsRequest>(ApiKey::kDescribeAcls, describe_acls);
  router.serve<protocol::CreateAclsRequest>(ApiKey::kCreateAcls, create_acls);
  router.serve<protocol::DeleteAclsRequest>(ApiKey::kDeleteAcls, delete_acls);
  router.answer<protocol::CreateDelegationTokenRequest>(ApiKey::kCreateDelegationToken,
                                                        create_delegation_token);
  router.answer<protocol::RenewDelegationTokenRequest>(ApiKey::kRenewDelegationToken, renew_delegation_token);
  router.answer<protocol::ExpireDelegationTokenRequest>(ApiKey::kExpireDelegationToken,
                                                        expire_delegation_token);
  router.answer<protocol::DescribeDelegationTokenRequest>(ApiKey::kDescribeDelegationToken,
                                                          describe_delegation_token);
}

void Handlers::Parts::serve_groups(const Services& services) {
  router.serve<protocol::FindCoordinatorRequest>(
      ApiKey::kFindCoordinator, [handler = FindCoordinatorHandler(services.metadata, services.controller,
                                                                  config.node_id, config.settings)](
                                    Call& call, const auto& request, Responder responder) mutable {
        handler.handle(call, request, std::move(responder));
      });

  const auto protocols = config.settings.list("group.coordinator.rebalance.protocols");
  const bool allowed = std::ranges::find(protocols, "consumer") != protocols.end();
  const auto consumer_groups = [allowed, &metadata = services.metadata] {
    return allowed && metadata.image()->feature(kGroupVersion) >= 1;
  };
  members.emplace(services.groups, consumer_groups);
  offsets.emplace(services.groups, services.metadata);
  group_admin.emplace(services.groups, consumer_groups);
  const auto to = [](auto& handlers, auto verb) {
    return [&handlers, verb](Call& call, const auto& request, Responder responder) {
      ((*handlers).*verb)(call, request, std::move(responder));
    };
  };
  using Members = GroupMembershipHandlers;
  router.serve<protocol::JoinGroupRequest>(ApiKey::kJoinGroup, to(members, &Members::join));
  router.serve<protocol::SyncGroupRequest>(ApiKey::kSyncGroup, to(members, &Members::sync));
  router.serve<protocol::HeartbeatRequest>(ApiKey::kHeartbeat, to(members, &Members::heartbeat));
  router.serve<protocol::LeaveGroupRequest>(ApiKey::kLeaveGroup, to(members, &Members::leave));
  router.serve<protocol::ConsumerGroupHeartbeatRequest>(ApiKey::kConsumerGroupHeartbeat,
                                                        to(members, &Members::consumer_heartbeat));
  router.serve<protocol::OffsetCommitRequest>(ApiKey::kOffsetCommit, to(offsets, &OffsetHandlers::commit));
  router.serve<protocol::OffsetFetchRequest>(ApiKey::kOffsetFetch, to(offsets, &OffsetHandlers::fetch));
  router.serve<protocol::OffsetDeleteRequest>(ApiKey::kOffsetDelete, to(offsets, &OffsetHandlers::remove));
  using Admin = GroupAdminHandlers;
  router.serve<protocol::ListGroupsRequest>(ApiKey::kListGroups, to(group_admin, &Admin::list));
  router.serve<protocol::DescribeGroupsRequest>(ApiKey::kDescribeGroups, to(group_admin, &Admin::describe));
  router.serve<protocol::ConsumerGroupDescribeRequest>(ApiKey::kConsumerGroupDescribe,
                                                       to(group_admin, &Admin::describe_consumer_groups));
  router.serve<protocol::DeleteGroupsRequest>(ApiKey::kDeleteGroups, to(group_admin, &Admin::remove));
}

}  // namespace milena::broker
