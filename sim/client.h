// Client: one client of the simulated broker: a connection that is made when it is needed, and requests whose
// answers a script waits for.
//
// Frames take a little time in either direction and keep their order. When the connection is lost, every
// request that waits comes back without an answer, as it does when the time is over: whether it took effect
// is not known then.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/async/testing/sim_runtime.h"
#include "broker/testing/sim_broker.h"
#include "protocol/codec.h"
#include "protocol/frame.h"
#include "sim/co.h"
#include "sim/frame_hash.h"

namespace milena::sim {

// What all clients of a run share.
class Network {
 public:
  Network(SimRuntime& runtime_, broker::testing::SimBroker& broker_) : runtime(runtime_), broker(broker_) {}

  // Every connection is lost at once; those who wait hear of it a little later.
  void cut();

  SimRuntime& runtime;
  broker::testing::SimBroker& broker;
  FrameHash hash;
  Instant latency_below{4};
  bool is_held = false;  // clients send nothing new: what was lost is being looked at

 private:
  friend class Client;
  struct Connection;
  std::vector<std::weak_ptr<Connection>> connections_;
};

// A response and what it lives in; without one the client does not know what happened.
template <class R>
struct Answer {
  std::unique_ptr<Arena> arena;
  std::optional<R> response;

  explicit operator bool() const { return response.has_value(); }
  const R& operator*() const { return *response; }
  const R* operator->() const { return &*response; }
};

class Client {
 public:
  static constexpr Instant kPatience{30'000};

  // An observer is not held.
  Client(Network& network, std::string id, bool is_observer = false)
      : network_(network), id_(std::move(id)), is_observer_(is_observer) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { disconnect(); }

  // Sends the request and waits for its answer.
  template <class R, class Q>
  Co<Answer<R>> ask(const Q& request, int version, Instant patience = kPatience) {
    Answer<R> answer{std::make_unique<Arena>(), std::nullopt};
    while (network_.is_held && !is_observer_) co_await sleep(Instant{20});
    auto body = co_await exchange(encoded(request, version), patience);
    if (!body) co_return answer;
    const bool tagged = R::kInfo.flexible(version) && R::kInfo.key != 18;  // ApiVersions
    const std::string_view text = answer.arena->text(*body);
    auto decoded = protocol::decode<R>(as_bytes(text.substr(tagged ? 5 : 4)), version, *answer.arena);
    if (decoded) answer.response = *decoded;
    malformed_ = malformed_ || !decoded;
    co_return answer;
  }

  // Lets virtual time pass.
  Co<> sleep(Instant duration);
  // The connection is dropped, as by a client that dies.
  void disconnect();
  // Whether an answer could not be decoded.
  bool saw_malformed() const { return malformed_; }

 private:
  using Connection = Network::Connection;
  struct Exchange;
  struct Frame {
    std::int32_t id = 0;
    std::string bytes;
  };

  template <class Q>
  Frame encoded(const Q& request, int version) {
    Arena arena;
    const std::int32_t id = next_id_++;
    const auto bytes = protocol::flatten(protocol::encode_request(request, version, id, id_, arena), arena);
    return {id, std::string(as_text(bytes).substr(4))};
  }
  Exchange exchange(Frame frame, Instant patience);

  Network& network_;
  const std::string id_;
  const bool is_observer_;
  std::int32_t next_id_ = 1;
  bool malformed_ = false;
  std::shared_ptr<Connection> connection_;
};

// Awaited: the body of the answer behind its size, or none.
struct Client::Exchange {
  Client& client;
  Frame frame;
  Instant patience;
  std::optional<std::string> body{};

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  std::optional<std::string> await_resume() { return std::move(body); }
};

}  // namespace milena::sim
