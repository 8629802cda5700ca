// BrokerLifecycle: what this node tells the controller about itself: that it is there, which of its log
// directories work, and which replica lies in which directory (KIP-858, KIP-1066).
//
// Owned by the broker; lives as long as the metadata log. start() on the starting thread; the rest from any
// thread, without waiting.
//
// start() fails with a sentence. What the controller refuses later is written to the log; the next start
// tells it again.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/uuid.h"
#include "broker/metadata/controller_gateway.h"
#include "broker/metadata/metadata_source.h"
#include "broker/partition/partition_manager.h"
#include "protocol/broker_heartbeat.gen.h"
#include "protocol/broker_registration.gen.h"

namespace milena::broker {

class BrokerLifecycle {
 public:
  BrokerLifecycle(ControllerGateway& controller, const MetadataSource& metadata, protocol::BrokerId self,
                  const Logger& log)
      : controller_(controller), metadata_(metadata), self_(self), log_(log) {}

  // Registers this node and has it unfenced. Before the metadata thread runs.
  std::expected<void, std::string> start(const protocol::BrokerRegistrationRequest& request);
  std::int64_t broker_epoch() const { return broker_epoch_; }

  // AssignReplicasToDirs.
  void assign(std::vector<DirectoryAssignment> assignments);
  // BrokerHeartbeat with offline log directories: replicas in them lose leadership and their place in the
  // ISR.
  void report_failed(std::vector<Uuid> directories);
  // BrokerHeartbeat with cordoned log directories.
  void report_cordoned(std::vector<Uuid> directories);

 private:
  using Heartbeat = protocol::BrokerHeartbeatRequest;

  // A heartbeat about directories of some kind, which the log names if the controller refuses it.
  void report(std::string_view kind, Heartbeat request, std::shared_ptr<Arena> arena);
  // Sends a heartbeat, whose lists are in the arena; `done` hears what the controller says.
  void beat(Heartbeat request, std::shared_ptr<Arena> arena,
            std::move_only_function<void(Result<protocol::BrokerHeartbeatResponse>)> done);

  ControllerGateway& controller_;
  const MetadataSource& metadata_;
  const protocol::BrokerId self_;
  const Logger& log_;
  std::atomic<std::int64_t> broker_epoch_ = -1;
};

}  // namespace milena::broker
