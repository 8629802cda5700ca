// Listener: a bound port; accepts connections and deals them out to the loops in turn.
//
// Belongs to the first loop of a server; its coroutine runs there.
// Always:  at max.connections nothing is accepted until a connection ends; an address beyond
//          max.connections.per.ip is closed at once; above max.connection.creation.rate, and out of
//          descriptors, it waits, it does not spin.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "base/async/loop.h"
#include "base/async/task_group.h"
#include "base/log.h"
#include "broker/net/connection_counts.h"
#include "broker/net/net_loop.h"
#include "broker/net/pacing.h"
#include "broker/net/server.h"

namespace milena::broker {

class Listener {
 public:
  // Everything that listeners of a server share.
  struct Shared {
    std::span<const std::unique_ptr<NetLoop>> loops;
    const NetLimits& limits;
    ConnectionCounts& counts;
    const Logger& log;
    std::uint64_t next_connection_id = 1;
    std::size_t next_loop = 0;
  };

  // Binds and listens; the error is a sentence. Connections wait in the kernel until start().
  static std::expected<std::unique_ptr<Listener>, std::string> open(const ListenerSpec& spec, Shared& shared);

  const std::string& name() const { return name_; }
  std::uint16_t port() const { return port_; }

  // On the first loop.
  void start();
  Task<> stop();

 private:
  Listener(std::string name, asio::ip::tcp::acceptor acceptor, Pacing pacing, Shared& shared);
  Task<> accept_all();
  Task<bool> room_for_one_more();
  void welcome(NetLoop& home, TcpSocket socket);

  const std::string name_;
  Shared& shared_;
  Loop& loop_;
  asio::ip::tcp::acceptor acceptor_;
  const std::uint16_t port_;
  const Pacing pacing_;
  TaskGroup tasks_;
};

}  // namespace milena::broker
