// Broker: a whole node: its log directories, its metadata, its partitions, its sockets and its threads.
//
// An object, not a process: a test starts two. start() and stop() from a thread that is none of the broker's;
// both block. Everything that a broker needs of the world outside (files, time, chance, lines for people) is
// handed in. Always:  once start() has returned, clients are served, and the metadata and every partition are
// as they were when
//          the broker stopped, or was killed.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rng.h"
#include "broker/net/connection_info.h"
#include "broker/net/limits.h"
#include "broker/net/listener.h"
#include "broker/partition/partition_manager.h"
#include "controller/decisions/decision.h"
#include "controller/snapshot/metadata_snapshot.h"

namespace milena::broker {

struct BrokerOptions {
  std::string cluster_id;                     // empty: that of the data, or a new one
  std::vector<std::string> data_directories;  // the first also holds the metadata log
  std::vector<ListenerSpec> listeners;
  std::map<std::string, Address, std::less<>>
      advertised;  // by listener name; others: the address clients reached
  std::optional<std::string> rack;
  std::size_t event_loops = 1;
  NetLimits net;
  PartitionManager::Options partitions;
  controller::ControllerSettings controller;
  controller::SnapshotTrigger::Limits snapshots;
  bool auto_create_topics = true;               // auto.create.topics.enable
  std::int32_t fetch_max_bytes = 57'671'680;    // fetch.max.bytes
  std::size_t fetch_sessions_max = 1000;        // max.incremental.fetch.session.cache.slots
  std::int32_t describe_partitions_max = 2000;  // max.request.partition.size.limit
};

class Broker {
 public:
  struct World {
    Fs& fs;
    const Clock& clock;
    Rng& rng;
    const Logger& log;
  };

  Broker(BrokerOptions options, World world);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // The error is one sentence for the operator.
  std::expected<void, std::string> start();
  // Stops serving, then flushes and closes everything. Once; the destructor does it, too.
  void stop();

  // "host:port" of each listener, as a client on this machine reaches it.
  std::vector<std::string> addresses() const;
  const std::string& cluster_id() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace milena::broker
