#include "sim/client.h"

#include <algorithm>

namespace milena::sim {

using broker::FrameConnection;
using broker::FramePeer;

// One connection, from its first request to its end. Kept by the events that carry its frames.
struct Network::Connection final : FramePeer, std::enable_shared_from_this<Connection> {
  struct Waiter {
    std::optional<std::string>* body;
    std::coroutine_handle<> handle;
  };

  explicit Connection(Network& network_) : network(network_) {}

  // One frame after the other, each a little later.
  void carry(std::deque<std::string>& queue, Instant& last, std::string frame,
             void (Connection::*arrive)(std::string)) {
    const Instant now = network.runtime.clock().now();
    const auto latency = static_cast<std::int64_t>(
        network.runtime.rng().below(static_cast<std::uint64_t>(network.latency_below.count())));
    last = std::max(last, now + Instant{latency});
    queue.push_back(std::move(frame));
    network.runtime.after(last - now, [self = shared_from_this(), &queue, arrive] {
      std::string next = std::move(queue.front());
      queue.pop_front();
      ((*self).*arrive)(std::move(next));
    });
  }

  void send(std::string frame) { carry(outgoing, last_out, std::move(frame), &Connection::leave); }
  void leave(std::string frame) {
    if (!is_open) return;
    network.hash.add(network.runtime.clock().now().count(), '>', frame);
    peer->send(std::move(frame));
  }

  // FramePeer
  void reply(std::string frame) override {
    if (is_open) carry(incoming, last_in, std::move(frame), &Connection::arrive);
  }
  void closed() override {
    peer.reset();
    end_later();
  }

  void arrive(std::string frame) {
    if (!is_open || frame.size() < 4) return;
    network.hash.add(network.runtime.clock().now().count(), '<', frame);
    std::int32_t id = 0;
    for (std::size_t i = 0; i < 4; ++i) id = id << 8 | static_cast<unsigned char>(frame[i]);
    const auto found = waiting.find(id);
    if (found != waiting.end()) resume(found, std::move(frame));
  }

  void resume(std::map<std::int32_t, Waiter>::iterator at, std::optional<std::string> body) {
    const Waiter waiter = at->second;
    waiting.erase(at);
    *waiter.body = std::move(body);
    waiter.handle.resume();
  }

  void give_up(std::int32_t id) {
    if (waiting.contains(id)) end();  // as clients do
  }

  void end() {
    is_open = false;
    const auto self = shared_from_this();
    if (const auto open = std::move(peer)) open->close();
    while (!waiting.empty()) resume(waiting.begin(), std::nullopt);
  }

  void end_later() {
    is_open = false;
    network.runtime.after(Instant{1}, [self = shared_from_this()] { self->end(); });
  }

  Network& network;
  bool is_open = true;
  std::shared_ptr<FrameConnection> peer;
  std::map<std::int32_t, Waiter> waiting;
  std::deque<std::string> outgoing, incoming;
  Instant last_out{0}, last_in{0};
};

void Network::cut() {
  for (const auto& weak : std::exchange(connections_, {})) {
    const auto connection = weak.lock();
    if (connection == nullptr || !connection->is_open) continue;
    connection->peer.reset();
    connection->end_later();
  }
}

Client::Exchange Client::exchange(Frame frame, Instant patience) {
  return Exchange{.client = *this, .frame = std::move(frame), .patience = patience};
}

void Client::Exchange::await_suspend(std::coroutine_handle<> waiter) {
  auto& connection = client.connection_;
  Network& network = client.network_;
  if (connection == nullptr || !connection->is_open) {
    connection = std::make_shared<Connection>(network);
    connection->peer = network.broker.connect(connection);
    std::erase_if(network.connections_, [](const auto& other) { return other.expired(); });
    network.connections_.push_back(connection);
  }
  const std::int32_t id = frame.id;
  connection->waiting.emplace(id, Network::Connection::Waiter{&body, waiter});
  if (connection->peer == nullptr) return connection->end_later();  // nobody listens
  connection->send(std::move(frame.bytes));
  network.runtime.after(patience, [weak = std::weak_ptr(connection), id] {
    if (const auto alive = weak.lock()) alive->give_up(id);
  });
}

void Client::disconnect() {
  if (connection_ == nullptr) return;
  connection_->waiting.clear();
  connection_->end();
  connection_.reset();
}

Co<> Client::sleep(Instant duration) {
  struct Sleep {
    SimRuntime& runtime;
    Instant duration;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      runtime.after(duration, [waiter] { waiter.resume(); });
    }
    void await_resume() {}
  };
  co_await Sleep{network_.runtime, duration};
}

}  // namespace milena::sim
