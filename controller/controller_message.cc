#include "controller/controller_message.h"

#include <utility>

#include "controller/controller.h"

namespace milena::controller {
namespace {

struct Verbs {
  Controller& controller;
  const ControllerMessage& message;
  std::int64_t now_ms;
  FeatureLevel kraft_version;
  Arena& arena;

  auto operator()(const protocol::AllocateProducerIdsRequest& request) const {
    return controller.allocate_producer_ids(request, arena);
  }
  auto operator()(const protocol::AlterConfigsRequest& request) const {
    return controller.alter_configs(request, {}, arena);
  }
  auto operator()(const protocol::AssignReplicasToDirsRequest& request) const {
    return controller.assign_directories(request, arena);
  }
  auto operator()(const protocol::BrokerHeartbeatRequest& request) const {
    return controller.broker_heartbeat(now_ms, request, arena);
  }
  auto operator()(const protocol::BrokerRegistrationRequest& request) const {
    return controller.register_broker(now_ms, request, kraft_version, arena);
  }
  auto operator()(const protocol::CreatePartitionsRequest& request) const {
    return controller.create_partitions(request, {}, arena);
  }
  auto operator()(const protocol::CreateTopicsRequest& request) const {
    return controller.create_topics(request, {}, arena);
  }
  auto operator()(const protocol::DeleteTopicsRequest& request) const {
    return controller.delete_topics(request, message.version, {}, arena);
  }
  auto operator()(const protocol::ElectLeadersRequest& request) const {
    return controller.elect_leaders(request, arena);
  }
  auto operator()(const protocol::IncrementalAlterConfigsRequest& request) const {
    return controller.incremental_alter_configs(request, {}, arena);
  }
  auto operator()(const protocol::UpdateFeaturesRequest& request) const {
    return controller.update_features(request, message.version, kraft_version, arena);
  }
};

}  // namespace

Outcome<ControllerResponse> decide(Controller& controller, const ControllerMessage& message,
                                   std::int64_t now_ms, FeatureLevel kraft_version, Arena& arena) {
  const Verbs verbs{controller, message, now_ms, kraft_version, arena};
  return std::visit(
      [&](const auto& request) {
        auto outcome = verbs(request);
        return Outcome<ControllerResponse>{.response = std::move(outcome.response),
                                           .records = std::move(outcome.records)};
      },
      message.request);
}

}  // namespace milena::controller
