// Server: where the requests of clients come from: listeners and, per loop, connections.
//
// Owned by Broker. open() and start() once, then stop(); all from a thread that runs none of the loops. After
// stop() no connection is left, and no request either: every Responder was used or dropped. SocketServer is
// the one of a broker, FrameServer that of tests and the simulator.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/async/loop.h"
#include "base/async/runtime.h"
#include "base/log.h"
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
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  virtual ~Server() = default;

  // Binds a port. Connections wait until start(). Returns the port; the error is a sentence.
  virtual std::expected<std::uint16_t, std::string> open(const ListenerSpec& spec) = 0;
  // Accepts connections.
  virtual void start() = 0;
  // Accepts no more, writes the replies that are ready, closes every connection and waits until handlers have
  // let go of every request.
  virtual void stop() = 0;

  // From now on for connections that come; those that are open stay. Any thread.
  virtual void set_connection_limits(ConnectionLimits limits) = 0;

  // Open connections. Any thread.
  virtual std::size_t connections() const = 0;

  struct ListenerCounts {
    std::string name;
    std::size_t open = 0;
    std::uint64_t created = 0;  // connections so far
  };
  struct Status {
    std::vector<ListenerCounts> listeners;
    std::size_t pending_requests = 0;  // arrived, and their replies are not written
    std::size_t request_bytes = 0;     // of those
    std::size_t partial_bytes = 0;     // of requests that have not arrived as a whole
  };
  // Any thread.
  virtual Status status() const = 0;
};

// All of these outlive the server. The loops run from before start() until after stop().
using ServerFactory =
    std::function<std::unique_ptr<Server>(Runtime& runtime, std::span<Loop* const> loops, NetLimits limits,
                                          RequestHandler& handler, const Logger& log)>;

}  // namespace milena::broker
