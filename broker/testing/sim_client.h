// SimClient: one connection to a SimBroker, for tests that send a request and look at its response.
//
// Not thread-safe: ask() lets virtual time pass until the response is there.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/arena.h"
#include "base/async/testing/sim_runtime.h"
#include "broker/testing/sim_broker.h"
#include "protocol/codec.h"
#include "protocol/frame.h"

namespace milena::broker::testing {

class SimClient {
 public:
  // Connects.
  SimClient(SimRuntime& runtime, SimBroker& broker)
      : runtime_(runtime), peer_(std::make_shared<Peer>()), connection_(broker.connect(peer_)) {
    EXPECT_NE(connection_, nullptr) << "the broker is down";
  }
  ~SimClient() { connection_->close(); }

  template <class Q>
  void send(const Q& request, int version) {
    Arena arena;
    const auto bytes =
        protocol::flatten(protocol::encode_request(request, version, ++last_id_, "test", arena), arena);
    connection_->send(std::string(as_text(bytes).substr(4)));
  }
  // The body of the next reply; none when the connection is closed, or after so much time.
  std::optional<std::string> receive(Instant patience = Instant{10'000}) {
    runtime_.run_until([&] { return !peer_->replies.empty() || peer_->is_closed; }, patience);
    if (peer_->replies.empty()) return std::nullopt;
    std::string reply = std::move(peer_->replies.front());
    peer_->replies.pop_front();
    return reply.substr(4);  // behind the correlation id
  }
  // The response lives in `arena`; none when there is no reply.
  template <class R, class Q>
  std::optional<R> ask(const Q& request, int version, Arena& arena) {
    send(request, version);
    const auto reply = receive();
    if (!reply) return std::nullopt;
    const bool tagged = R::kInfo.flexible(version) && R::kInfo.key != 18;  // ApiVersions
    const std::string_view body = arena.text(*reply);
    auto decoded = protocol::decode<R>(as_bytes(body.substr(tagged ? 1 : 0)), version, arena);
    EXPECT_TRUE(decoded) << decoded.error().why;
    return decoded ? std::optional(*decoded) : std::nullopt;
  }
  bool is_closed() const { return peer_->is_closed; }

 private:
  struct Peer final : FramePeer {
    void reply(std::string frame) override { replies.push_back(std::move(frame)); }
    void closed() override { is_closed = true; }

    std::deque<std::string> replies;
    bool is_closed = false;
  };

  SimRuntime& runtime_;
  const std::shared_ptr<Peer> peer_;
  const std::shared_ptr<FrameConnection> connection_;
  std::int32_t last_id_ = 0;
};

}  // namespace milena::broker::testing
