// Server: the sockets of a broker: its listeners and, per loop, its connections.
//
// Owned by Broker. open() and start() once, then stop(); all from a thread that runs none of the loops.
// Always:  after stop() no connection is left, and no request either: every Responder was used or dropped.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/async/loop.h"
#include "base/log.h"
#include "broker/net/connection_info.h"
#include "broker/net/limits.h"
#include "broker/net/request.h"

namespace milena::broker {

struct ListenerSpec {
  std::string name;
  std::string host;        // empty: every address of this machine
  std::uint16_t port = 0;  // 0: a free one
};

class Server {
 public:
  // All of these outlive the server. The loops run from before start() until after stop().
  Server(std::span<Loop* const> loops, NetLimits limits, RequestHandler& handler, const Logger& log);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Binds a port. Connections wait in the kernel until start(). Returns the port; the error is a sentence.
  std::expected<std::uint16_t, std::string> open(const ListenerSpec& spec);
  // Accepts connections.
  void start();
  // Accepts no more, writes the replies that are ready, closes every connection and waits until handlers have
  // let go of every request.
  void stop();

  // From now on for connections that come; those that are open stay. Any thread.
  void set_connection_limits(ConnectionLimits limits);

  // Open connections. Any thread.
  std::size_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace milena::broker
