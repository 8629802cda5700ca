#include "broker/net/socket_server.h"

#include <utility>

#include "base/assert.h"
#include "base/async/asio.h"
#include "base/async/latch.h"
#include "broker/net/closing.h"
#include "broker/net/connection_counts.h"
#include "broker/net/listener.h"
#include "broker/net/net_loop.h"

namespace milena::broker {
namespace {

Task<> stop_all(std::vector<std::unique_ptr<Listener>>& listeners, Latch& done) {
  for (auto& listener : listeners) co_await listener->stop();
  done.open();
}

}  // namespace

struct SocketServer::Impl {
  Impl(std::span<Loop* const> all, NetLimits limits_, RequestHandler& handler, const Logger& log)
      : limits(std::move(limits_)) {
    for (Loop* loop : all) {
      loops.push_back(std::make_unique<NetLoop>(*loop, all.size(), limits, counts, unserved, handler, log));
    }
    shared = std::make_unique<Listener::Shared>(
        Listener::Shared{.loops = loops, .limits = limits, .counts = counts, .log = log});
  }

  const NetLimits limits;
  mutable ConnectionCounts counts{limits.connections};
  UnservedRequests unserved;
  std::vector<std::unique_ptr<NetLoop>> loops;
  std::unique_ptr<Listener::Shared> shared;
  std::vector<std::unique_ptr<Listener>> listeners;
  bool started = false;
};

SocketServer::SocketServer(std::span<Loop* const> loops, NetLimits limits, RequestHandler& handler,
                           const Logger& log)
    : impl_(std::make_unique<Impl>(loops, std::move(limits), handler, log)) {}

SocketServer::~SocketServer() {
  MILENA_ASSERT(!impl_->started, "a server is destroyed before it was stopped");
}

std::expected<std::uint16_t, std::string> SocketServer::open(const ListenerSpec& spec) {
  MILENA_TRY(auto listener, Listener::open(spec, *impl_->shared));
  const std::uint16_t port = listener->port();
  impl_->listeners.push_back(std::move(listener));
  return port;
}

void SocketServer::start() {
  impl_->started = true;
  Latch done;
  impl_->loops.front()->loop().post([&] {
    for (auto& listener : impl_->listeners) listener->start();
    done.open();
  });
  done.wait();
}

void SocketServer::stop() {
  if (!std::exchange(impl_->started, false)) return;
  {
    Latch done;
    Loop& first = impl_->loops.front()->loop();
    first.post([&] {
      asio::co_spawn(first.io(), stop_all(impl_->listeners, done), [](const std::exception_ptr&) {});
    });
    done.wait();
  }
  for (auto& net : impl_->loops) {
    Latch done;
    Closing closing(
        net->loop(),
        [&net] {
          net->close_all();
          return net->quiet();
        },
        done);
    net->loop().post([&] { closing.start(); });
    done.wait();
  }
}

void SocketServer::set_connection_limits(ConnectionLimits limits) {
  impl_->counts.set_limits(std::move(limits));
}

std::size_t SocketServer::connections() const { return impl_->counts.total(); }

Server::Status SocketServer::status() const {
  Status status;
  const auto counts = impl_->counts.by_listener();
  for (const auto& listener : impl_->listeners) {
    const auto counted = counts.find(listener->name());
    const auto of_listener = counted == counts.end() ? ConnectionCounts::OfListener{} : counted->second;
    status.listeners.push_back(
        {.name = listener->name(), .open = of_listener.open, .created = of_listener.created});
  }
  for (const auto& net : impl_->loops) {
    status.pending_requests += net->pending_requests();
    status.request_bytes += net->request_memory().held();
    status.partial_bytes += net->request_memory().partial();
  }
  return status;
}

std::unique_ptr<Server> make_socket_server(Runtime&, std::span<Loop* const> loops, NetLimits limits,
                                           RequestHandler& handler, const Logger& log) {
  return std::make_unique<SocketServer>(loops, std::move(limits), handler, log);
}

}  // namespace milena::broker
