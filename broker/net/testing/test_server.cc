#include "broker/net/testing/test_server.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/async/signals.h"

namespace milena::broker::testing {
namespace {

// A reply frame around `body_size` bytes, which the caller fills; records go between its halves.
MutableBytes start_frame(Request& request, std::size_t body_size, std::size_t records_size) {
  const MutableBytes frame = request.arena().bytes(8 + body_size);
  store_be(frame.data(), static_cast<std::int32_t>(4 + body_size + records_size));
  store_be(frame.data() + 4, request.header().correlation_id);
  return frame;
}

void send(Responder responder, MutableBytes frame) {
  protocol::Encoded encoded;
  encoded.buffer = frame;
  responder.send_frame(encoded);
}

}  // namespace

struct ScriptedHandler::Waiting final : Parked {
  Waiting(ScriptedHandler& handler_, std::string body_, Responder responder_)
      : handler(handler_), body(std::move(body_)), responder(std::move(responder_)) {}

  void connection_lost() override {
    std::optional<Responder> dropped;
    const std::lock_guard lock(handler.mutex_);
    if (responder) dropped = std::exchange(responder, std::nullopt);
    ++handler.lost_;
    handler.changed_.notify_all();
  }

  ScriptedHandler& handler;
  const std::string body;
  std::optional<Responder> responder;
};

void echo(Responder responder) {
  Request& request = responder.request();
  const MutableBytes frame = start_frame(request, request.body().size(), 0);
  std::ranges::copy(request.body(), frame.begin() + 8);
  send(std::move(responder), frame);
}

void ScriptedHandler::handle(Request& request, Responder responder) {
  const std::string body(as_text(request.body()));
  {
    const std::lock_guard lock(mutex_);
    ++handled_;
  }
  switch (body.empty() ? 'e' : body[0]) {
    case 'h':
      request.hold_successors();
      [[fallthrough]];
    case 'p': {
      auto waiting = std::make_shared<Waiting>(*this, body, std::move(responder));
      waiting->responder->park(waiting);
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(waiting));
      ++parked_;
      changed_.notify_all();
      return;
    }
    case 'n':
      return responder.send_nothing();
    case 'c':
      return responder.close("the test wants it so");
    case 'd':
      return;
    case 'm': {
      const auto size = static_cast<std::size_t>(std::stoul(body.substr(1)));
      const MutableBytes frame = start_frame(request, size, 0);
      std::ranges::fill(frame.subspan(8), std::byte{'m'});
      return send(std::move(responder), frame);
    }
    case 'f': {
      unsigned long at = 0, size = 0;
      MILENA_ASSERT(std::sscanf(body.c_str() + 1, "%lu %lu", &at, &size) == 2, "f wants two numbers");
      const MutableBytes frame = start_frame(request, 2, size);
      frame[8] = std::byte{'<'};
      frame[9] = std::byte{'>'};
      auto& range = request.arena().make<FileRange>();
      range = {.file = file.get(), .position = at};
      request.pin(file);
      auto splices = request.arena().array<protocol::Encoded::Splice>(1);
      splices[0] = {.at = 9, .records = {.bytes = {}, .external = &range, .external_size = size}};
      return responder.send_frame({.buffer = frame, .headroom = 0, .splices = splices, .spliced_size = size});
    }
    default:
      return echo(std::move(responder));
  }
}

void ScriptedHandler::await_parked(std::size_t n) {
  std::unique_lock lock(mutex_);
  MILENA_ASSERT(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return parked_ >= n; }),
                "too few were parked");
}

void ScriptedHandler::await_lost(std::size_t n) {
  std::unique_lock lock(mutex_);
  MILENA_ASSERT(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return lost_ >= n; }),
                "too few were lost");
}

std::size_t ScriptedHandler::handled() {
  const std::lock_guard lock(mutex_);
  return handled_;
}

std::optional<Responder> ScriptedHandler::take(const std::string& body) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(waiting_, [&](auto& w) { return w->body == body; });
  if (found == waiting_.end()) return std::nullopt;
  const auto waiting = std::move(*found);
  waiting_.erase(found);
  return std::exchange(waiting->responder, std::nullopt);
}

void ScriptedHandler::release(const std::string& body) {
  auto responder = take(body);
  MILENA_ASSERT(responder, "no such request is parked");
  echo(*std::move(responder));
}

TestServer::TestServer(Options options) : logger_(LogLevel::kInfo, keep_line, this) {
  ignore_fatal_io_signals();
  std::vector<Loop*> loops;
  for (std::size_t i = 0; i < options.loops; ++i) {
    loops_.push_back(
        std::make_unique<Loop>(options.clock != nullptr ? *options.clock : system_clock_, "net"));
    loops.push_back(loops_.back().get());
    loops_.back()->start();
  }
  server_ = std::make_unique<SocketServer>(loops, std::move(options.limits), handler_, logger_);
  const auto port = server_->open({.name = "PLAINTEXT", .host = "127.0.0.1", .port = 0});
  MILENA_ASSERT(port, "no port for a test server");
  port_ = *port;
  server_->start();
}

TestServer::~TestServer() {
  stop();
  server_.reset();
}

void TestServer::stop() {
  server_->stop();
  for (auto& loop : loops_) {
    loop->stop();
    loop->join();
  }
}

void TestServer::on_loops(const std::function<void(Loop&)>& what) {
  for (auto& loop : loops_) {
    std::promise<void> done;
    loop->post([&] {
      what(*loop);
      done.set_value();
    });
    done.get_future().wait();
  }
}

void TestServer::await_connections(std::size_t n) {
  for (int i = 0; i < 20'000 && server_->connections() != n; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  MILENA_ASSERT(server_->connections() == n, "the number of connections is not what the test expects");
}

std::string TestServer::log() {
  const std::lock_guard lock(log_mutex_);
  return log_;
}

void TestServer::keep_line(void* self, LogLevel, std::string_view line) {
  auto& server = *static_cast<TestServer*>(self);
  const std::lock_guard lock(server.log_mutex_);
  server.log_.append(line).append("\n");
}

}  // namespace milena::broker::testing
