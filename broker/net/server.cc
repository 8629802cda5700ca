#include "broker/net/server.h"

#include <future>
#include <utility>

#include "base/assert.h"
#include "base/async/asio.h"
#include "broker/net/connection_counts.h"
#include "broker/net/listener.h"
#include "broker/net/net_loop.h"

namespace milena::broker {
namespace {

Task<> stop_all(std::vector<std::unique_ptr<Listener>>& listeners, std::promise<void>& done) {
  for (auto& listener : listeners) co_await listener->stop();
  done.set_value();
}

// Closes the connections of a loop; says so when the last request has come back.
class Closing {
 public:
  Closing(NetLoop& net, std::promise<void>& done) : net_(net), done_(done), again_([this] { look(); }) {}

  void look() {
    net_.close_all();
    if (net_.quiet()) return done_.set_value();
    net_.loop().arm(again_, net_.loop().now() + Instant{1});
  }

 private:
  NetLoop& net_;
  std::promise<void>& done_;
  Timer again_;
};

}  // namespace

struct Server::Impl {
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

Server::Server(std::span<Loop* const> loops, NetLimits limits, RequestHandler& handler, const Logger& log)
    : impl_(std::make_unique<Impl>(loops, std::move(limits), handler, log)) {}

Server::~Server() { MILENA_ASSERT(!impl_->started, "a server is destroyed before it was stopped"); }

std::expected<std::uint16_t, std::string> Server::open(const ListenerSpec& spec) {
  MILENA_TRY(auto listener, Listener::open(spec, *impl_->shared));
  const std::uint16_t port = listener->port();
  impl_->listeners.push_back(std::move(listener));
  return port;
}

void Server::start() {
  impl_->started = true;
  std::promise<void> done;
  impl_->loops.front()->loop().post([&] {
    for (auto& listener : impl_->listeners) listener->start();
    done.set_value();
  });
  done.get_future().wait();
}

void Server::stop() {
  if (!std::exchange(impl_->started, false)) return;
  {
    std::promise<void> done;
    Loop& first = impl_->loops.front()->loop();
    first.post([&] {
      asio::co_spawn(first.io(), stop_all(impl_->listeners, done), [](const std::exception_ptr&) {});
    });
    done.get_future().wait();
  }
  for (auto& net : impl_->loops) {
    std::promise<void> done;
    Closing closing(*net, done);
    net->loop().post([&] { closing.look(); });
    done.get_future().wait();
  }
}

void Server::set_connection_limits(ConnectionLimits limits) { impl_->counts.set_limits(std::move(limits)); }

std::size_t Server::connections() const { return impl_->counts.total(); }

}  // namespace milena::broker
