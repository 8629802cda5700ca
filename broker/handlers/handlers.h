// Handlers: all request handlers of a broker, wired to what they need, and the table of routes.
//
// Owned by Broker. Made before the sockets are bound, because the server needs the router; serve() before the
// first connection is accepted.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/rng.h"
#include "broker/config/broker_config.h"
#include "broker/config/dynamic_config.h"
#include "broker/coordinators/group_coordinator.h"
#include "broker/coordinators/marker_writer.h"
#include "broker/coordinators/producer_ids.h"
#include "broker/coordinators/transaction_coordinator.h"
#include "broker/handlers/router.h"
#include "broker/metadata/controller_gateway.h"
#include "broker/metadata/metadata_source.h"
#include "broker/metadata/quorum_driver.h"
#include "broker/metrics/client_software.h"
#include "broker/partition/partition_finder.h"
#include "broker/partition/partition_manager.h"

namespace milena::broker {

class Handlers {
 public:
  Handlers(const BrokerConfig& config, const Clock& clock, Rng& rng, PartitionFinder& partitions);
  ~Handlers();

  RequestHandler& router();

  struct Services {
    const std::string& cluster_id;
    const MetadataSource& metadata;
    ControllerGateway& controller;
    const QuorumDriver& quorum;
    const DynamicConfig& configuration;
    PartitionManager& partitions;
    GroupCoordinator& groups;
    MarkerWriter& markers;
    TransactionCoordinator& transactions;
    ProducerIds& producer_ids;
    ClientSoftware& client_software;
    std::span<Loop* const> loops;
    std::span<const std::uint16_t> client_ports;  // where the listeners for clients listen, in their order
  };
  // What may change while they run: the configuration in force. Any thread.
  void configure(const ConfigValues& now);
  // Fills the table of routes.
  void serve(const Services& services);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace milena::broker
