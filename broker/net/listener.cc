#include "broker/net/listener.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "broker/net/connection.h"
#include "broker/net/endpoints.h"
#include "broker/net/tcp_stream.h"

namespace milena::broker {
namespace {

using asio::ip::tcp;

Address address_of(const tcp::endpoint& endpoint) {
  asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return {address.to_string(), endpoint.port()};
}

error_code bind(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, const NetLimits& limits,
                Pacing& pacing) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (limits.receive_buffer_bytes > 0) {  // inherited by what is accepted; it decides the window scale
    acceptor.set_option(asio::socket_base::receive_buffer_size(limits.receive_buffer_bytes), error);
  }
  acceptor.bind(endpoint, error);
  if (error) return error;
  pacing.avoid_for_accepted(acceptor.native_handle());
  acceptor.listen(limits.backlog, error);
  return error;
}

}  // namespace

std::string Address::to_string() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

std::expected<std::unique_ptr<Listener>, std::string> Listener::open(const ListenerSpec& spec,
                                                                     Shared& shared) {
  const auto endpoints = endpoints_of(shared.loops.front()->loop(), spec.host, spec.port);
  error_code error;
  if (endpoints) {
    for (const tcp::endpoint& endpoint : *endpoints) {
      tcp::acceptor acceptor(shared.loops.front()->loop().io());
      Pacing pacing;
      error = bind(acceptor, endpoint, shared.limits, pacing);
      if (!error) {
        return std::unique_ptr<Listener>(
            new Listener(spec.name, std::move(acceptor), std::move(pacing), shared));
      }
      if (error == asio::error::address_in_use) break;
    }
  }
  return std::unexpected(fmt::format("Socket server failed to bind to {}:{}: {}.",
                                     spec.host.empty() ? "0.0.0.0" : spec.host, spec.port,
                                     endpoints ? error.message() : endpoints.error()));
}

Listener::Listener(std::string name, tcp::acceptor acceptor, Pacing pacing, Shared& shared)
    : name_(std::move(name)),
      shared_(shared),
      loop_(shared.loops.front()->loop()),
      acceptor_(std::move(acceptor)),
      port_(acceptor_.local_endpoint().port()),
      pacing_(std::move(pacing)),
      tasks_(loop_) {}

void Listener::start() { tasks_.spawn("listener " + name_, accept_all()); }

Task<> Listener::stop() {
  co_await tasks_.stop();
  error_code ignored;
  acceptor_.close(ignored);
}

Task<> Listener::accept_all() {
  constexpr Instant kWhenFailing{100};
  bool complained = false;
  for (;;) {
    NetLoop& home = *shared_.loops[shared_.next_loop++ % shared_.loops.size()];
    auto [error, socket] = co_await acceptor_.async_accept(home.loop().io(), kTry);
    if (error == asio::error::operation_aborted) co_return;
    if (error == asio::error::connection_aborted) continue;
    if (error) {  // no descriptors, no memory: wait for some to be given back
      if (!std::exchange(complained, true)) {
        shared_.log.error("Error while accepting connection on {}: {}", name_, error.message());
      }
      if (!co_await sleep_for(loop_, kWhenFailing)) co_return;
      continue;
    }
    complained = false;
    if (!co_await room_for_one_more()) co_return;
    welcome(home, std::move(socket));
  }
}

// As in Kafka the one that was accepted waits here, unanswered, and all others in the kernel. In short naps:
// the limits may change. False when the listener stops.
Task<bool> Listener::room_for_one_more() {
  constexpr Instant kWhenFull{10}, kWhenTooFast{50};
  for (;;) {
    const Instant nap = shared_.counts.full(name_)
                            ? kWhenFull
                            : std::min(shared_.counts.wait_to_create(name_, loop_.now()), kWhenTooFast);
    if (nap == Instant{0}) co_return true;
    if (!co_await sleep_for(loop_, nap)) co_return false;
  }
}

void Listener::welcome(NetLoop& home, TcpSocket socket) {
  error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const tcp::endpoint local = socket.local_endpoint(error);
  if (error) return;
  auto info = std::make_shared<ConnectionInfo>();
  info->id = shared_.next_connection_id++;
  info->peer = address_of(peer);
  info->local = address_of(local);
  info->listener = name_;
  socket.set_option(tcp::no_delay(true), error);
  socket.set_option(asio::socket_base::keep_alive(true), error);
  if (info->peer.host != info->local.host) pacing_.restore(socket.native_handle());
  if (shared_.limits.send_buffer_bytes > 0) {
    socket.set_option(asio::socket_base::send_buffer_size(shared_.limits.send_buffer_bytes), error);
  }
  if (!shared_.counts.admit(name_, info->peer.host)) {
    home.loop().post(
        [&home, info = std::move(info)] { home.complain(*info, "Too many connections from this address"); });
    return;
  }
  home.loop().post([&home, socket = std::move(socket), info = std::move(info)]() mutable {
    std::make_shared<Connection>(home, std::make_unique<TcpStream>(std::move(socket)), std::move(info))
        ->start();
  });
}

}  // namespace milena::broker
