// Broker: a whole node: its log directories, its metadata, its partitions, its sockets and its threads.
//
// An object, not a process: a test starts two. start() and stop() from a thread that is none of the broker's;
// both block. Everything that a broker needs of the world outside (files, time, chance, threads, clients,
// lines for people) is handed in. Once start() has returned, clients are served, and the metadata and every
// partition are as they were when the broker stopped, or was killed.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/async/runtime.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rng.h"
#include "broker/config/broker_config.h"
#include "broker/net/server.h"
#include "broker/net/socket_server.h"

namespace milena::broker {

class Broker {
 public:
  struct World {
    Fs& fs;
    const Clock& clock;
    Rng& rng;
    const Logger& log;
    Runtime& runtime;
    ServerFactory make_server = make_socket_server;
    // Told, by a thread of the broker, that it cannot serve any more and should be stopped: its last log
    // directory has failed.
    std::function<void()> on_fatal = [] {};
  };

  Broker(BrokerConfig config, World world);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // The error is one sentence for the operator.
  std::expected<void, std::string> start();
  // Stops serving, then flushes and closes everything. Once; the destructor does it, too.
  void stop();

  // "host:port" of each listener for clients, as a client on this machine reaches it.
  std::vector<std::string> addresses() const;
  // The same of milena.metrics.listener; empty when there is none.
  std::string metrics_address() const;
  const std::string& cluster_id() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace milena::broker
