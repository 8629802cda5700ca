// FrameServer: a Server without sockets. Whole frames come from FrameConnections, which a test or the
// simulator opens, and replies go back to them. The limits of NetLimits for connections, memory and time do
// not apply here.
//
// Owned by Broker, made by the factory that its World holds.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/async/runtime.h"
#include "broker/net/reply_writer.h"
#include "broker/net/request_pool.h"
#include "broker/net/request_queue.h"
#include "broker/net/server.h"

namespace milena::broker {

class FrameServer;

// The client of a connection. Told on the connection's loop. Kept by it until its end.
class FramePeer {
 public:
  // A reply, without its size.
  virtual void reply(std::string frame) = 0;
  // The broker has closed the connection: no reply comes any more.
  virtual void closed() = 0;

 protected:
  ~FramePeer() = default;
};

class FrameConnection final : public std::enable_shared_from_this<FrameConnection>,
                              private ReplySink,
                              private ByteSink {
 public:
  struct Share;  // of a loop
  FrameConnection(Share& share, RequestHandler& handler, const NetLimits& limits, const Logger& log,
                  ConnectionInfo info, std::shared_ptr<FramePeer> peer);
  ~FrameConnection();

  // A request, without its size. Any thread.
  void send(std::string frame);
  // The client goes away. The peer is told nothing any more, once the loop has got to it. Any thread.
  void close();

 private:
  friend class FrameServer;
  void handle_frames();
  void handle(const std::string& frame);
  void write_replies();
  void turn_later();
  void end(bool tell);

  // ReplySink
  void answered(PendingRequest& request) override;
  // ByteSink
  ssize_t write(std::span<const iovec> pieces, bool more) override;
  ssize_t send_file(const File& file, std::uint64_t position, std::size_t size) override;

  Share& share_;
  RequestHandler& handler_;
  const NetLimits& limits_;
  const Logger& log_;
  const std::shared_ptr<ConnectionInfo> info_;
  std::shared_ptr<FramePeer> peer_;  // until the end
  bool is_open_ = true;
  bool in_turn_ = false;
  bool turn_posted_ = false;
  std::list<std::string> input_;  // frames that wait for their turn
  RequestQueue queue_;
  ReplyWriter writer_;
  std::string written_;
  const std::shared_ptr<std::atomic<std::size_t>> alive_;  // of the loop's connections
};

class FrameServer final : public Server {
 public:
  // All of these outlive the server.
  FrameServer(Runtime& runtime, std::span<Loop* const> loops, NetLimits limits, RequestHandler& handler,
              const Logger& log);
  ~FrameServer() override;

  // To a listener that open() has given the port. Null when there is none, before start() and after stop().
  // On the thread that starts and stops the server.
  std::shared_ptr<FrameConnection> connect(std::uint16_t port, std::shared_ptr<FramePeer> peer);

  std::expected<std::uint16_t, std::string> open(const ListenerSpec& spec) override;
  void start() override { is_serving_ = true; }
  void stop() override;
  void set_connection_limits(ConnectionLimits) override {}
  std::size_t connections() const override;
  Status status() const override;

 private:
  Runtime& runtime_;
  const NetLimits limits_;
  RequestHandler& handler_;
  const Logger& log_;
  std::vector<std::unique_ptr<FrameConnection::Share>> shares_;
  std::vector<ListenerSpec> listeners_;
  bool is_serving_ = false;
  std::uint64_t next_id_ = 1;
};

}  // namespace milena::broker
