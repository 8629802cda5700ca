// FindCoordinator, versions 0-6: who looks after a group or a transactional id (KIP-699: many keys from v4
// on).
//
// A coordinator is the leader of the partition of an internal topic that the key belongs to. The topic is
// created when the first group or transactional id asks, and the answer waits for that, where Kafka says
// COORDINATOR_NOT_AVAILABLE and lets the client ask again. Share groups have no coordinator here yet and are
// answered with that error, which clients take as "later". An unknown key type, or a share group's before v6,
// is INVALID_REQUEST.
#pragma once

#include "broker/config/static_config.h"
#include "broker/handlers/call.h"
#include "broker/metadata/controller_gateway.h"
#include "broker/metadata/metadata_source.h"
#include "protocol/find_coordinator.gen.h"

namespace milena::broker {

class FindCoordinatorHandler {
 public:
  FindCoordinatorHandler(const MetadataSource& metadata, ControllerGateway& controller,
                         protocol::BrokerId self, const StaticConfig& settings)
      : metadata_(metadata), controller_(controller), self_(self), settings_(settings) {}

  void handle(Call& call, const protocol::FindCoordinatorRequest& request, Responder responder);

 private:
  protocol::FindCoordinatorResponse answer(const Call& call, const protocol::FindCoordinatorRequest& request,
                                           const controller::MetadataImage& image) const;

  const MetadataSource& metadata_;
  ControllerGateway& controller_;
  const protocol::BrokerId self_;
  const StaticConfig& settings_;
};

}  // namespace milena::broker
