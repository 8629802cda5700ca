// SocketServer: the Server of a broker: listening sockets and the connections of clients.
#pragma once

#include <memory>
#include <span>

#include "broker/net/server.h"

namespace milena::broker {

class SocketServer final : public Server {
 public:
  // All of these outlive the server. The loops have reactors.
  SocketServer(std::span<Loop* const> loops, NetLimits limits, RequestHandler& handler, const Logger& log);
  ~SocketServer() override;

  std::expected<std::uint16_t, std::string> open(const ListenerSpec& spec) override;
  void start() override;
  void stop() override;
  void set_connection_limits(ConnectionLimits limits) override;
  std::size_t connections() const override;
  Status status() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The ServerFactory of a broker.
std::unique_ptr<Server> make_socket_server(Runtime& runtime, std::span<Loop* const> loops, NetLimits limits,
                                           RequestHandler& handler, const Logger& log);

}  // namespace milena::broker
