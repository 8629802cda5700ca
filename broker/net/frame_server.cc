#include "broker/net/frame_server.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/assert.h"
#include "broker/net/closing.h"
#include "protocol/error_code.h"

namespace milena::broker {

// What the connections of one loop share.
struct FrameConnection::Share {
  explicit Share(Loop& loop_) : loop(loop_), requests(loop_) {}

  static constexpr std::size_t kKeepBuffers = 1024 * 1024;

  Loop& loop;
  BufferPool buffers{kKeepBuffers};
  RequestPool requests;
  std::vector<std::byte> scratch = std::vector<std::byte>(64 * 1024);
  std::list<std::shared_ptr<FrameConnection>> open;  // the loop's
  const std::shared_ptr<std::atomic<std::size_t>> alive = std::make_shared<std::atomic<std::size_t>>(0);
};

FrameConnection::FrameConnection(Share& share, RequestHandler& handler, const NetLimits& limits,
                                 const Logger& log, ConnectionInfo info, std::shared_ptr<FramePeer> peer)
    : share_(share),
      handler_(handler),
      limits_(limits),
      log_(log),
      info_(std::make_shared<ConnectionInfo>(std::move(info))),
      peer_(std::move(peer)),
      alive_(share.alive) {
  ++*alive_;
}

FrameConnection::~FrameConnection() {
  MILENA_ASSERT(!is_open_, "a connection is destroyed before it was closed");
  --*alive_;
}

void FrameConnection::send(std::string frame) {
  share_.loop.post([self = shared_from_this(), frame = std::move(frame)]() mutable {
    if (!self->is_open_) return;
    self->input_.push_back(std::move(frame));
    self->handle_frames();
  });
}

void FrameConnection::close() {
  share_.loop.post([self = shared_from_this()] { self->end(false); });
}

void FrameConnection::handle_frames() {
  const auto self = shared_from_this();
  in_turn_ = true;
  while (is_open_) {
    if (!input_.empty() && !queue_.is_held() && queue_.size() < limits_.in_flight_max) {
      const std::string frame = std::move(input_.front());
      input_.pop_front();
      handle(frame);
      continue;
    }
    const std::size_t before = queue_.size();
    write_replies();
    if (input_.empty() || queue_.size() == before) break;
  }
  in_turn_ = false;
}

void FrameConnection::handle(const std::string& frame) {
  PendingRequest& request = share_.requests.take();
  Buffer owner = share_.buffers.take(frame.size());
  MILENA_ASSERT(owner, "no memory for a frame");
  const MutableBytes bytes{owner.data(), frame.size()};
  std::ranges::copy(as_bytes(frame), bytes.begin());
  const auto begun = request.begin(bytes, std::move(owner), *this, info_, share_.loop.clock().fine_now());
  if (!begun) {
    log_.warn("closing connection {} from {}: {}", info_->id, info_->peer.to_string(), begun.error().why);
    share_.requests.give(request);
    return end(true);
  }
  queue_.push(request);
  handler_.handle(request, Responder(request));
}

void FrameConnection::answered(PendingRequest&) {
  if (!in_turn_) turn_later();
}

void FrameConnection::turn_later() {
  if (std::exchange(turn_posted_, true)) return;
  share_.loop.post([self = shared_from_this()] {
    self->turn_posted_ = false;
    self->handle_frames();
  });
}

void FrameConnection::write_replies() {
  const auto progress = writer_.write(queue_, *this, share_.scratch);
  while (!writer_.finished().empty()) {
    PendingRequest& request = writer_.finished().pop();
    handler_.finished(request, share_.loop.clock().fine_now() - request.fine_received_at());
    share_.requests.give(request);
  }
  while (is_open_ && written_.size() >= 4) {
    std::size_t size = 0;
    for (int i = 0; i < 4; ++i)
      size = size << 8 | static_cast<unsigned char>(written_[static_cast<std::size_t>(i)]);
    if (written_.size() < 4 + size) break;
    peer_->reply(written_.substr(4, size));
    written_.erase(0, 4 + size);
  }
  switch (progress) {
    case ReplyWriter::Progress::kDone:
    case ReplyWriter::Progress::kBlocked:
      break;
    case ReplyWriter::Progress::kYield:
      turn_later();
      break;
    case ReplyWriter::Progress::kClose:
      log_.warn("closing connection {} from {}: {}", info_->id, info_->peer.to_string(),
                queue_.first()->close_reason());
      end(true);
      break;
    case ReplyWriter::Progress::kFailed:
      end(true);
      break;
  }
}

void FrameConnection::end(bool tell) {
  if (!std::exchange(is_open_, false)) return;
  const auto self = shared_from_this();
  std::erase(share_.open, self);
  input_.clear();
  std::vector<std::shared_ptr<Parked>> parked;
  while (!queue_.empty()) {
    if (auto waiter = queue_.pop().abandon()) parked.push_back(std::move(waiter));
  }
  for (const auto& waiter : parked) waiter->connection_lost();
  const auto peer = std::move(peer_);
  if (tell) peer->closed();
}

ssize_t FrameConnection::write(std::span<const iovec> pieces, bool) {
  ssize_t size = 0;
  for (const iovec& piece : pieces) {
    written_.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    size += static_cast<ssize_t>(piece.iov_len);
  }
  return size;
}

ssize_t FrameConnection::send_file(const File& file, std::uint64_t position, std::size_t size) {
  std::vector<std::byte> bytes(size);
  const auto read = file.read_at(position, bytes);
  if (!read) return -1;
  written_.append(as_text(BytesView(bytes).first(*read)));
  return static_cast<ssize_t>(*read);
}

FrameServer::FrameServer(Runtime& runtime, std::span<Loop* const> loops, NetLimits limits,
                         RequestHandler& handler, const Logger& log)
    : runtime_(runtime), limits_(std::move(limits)), handler_(handler), log_(log) {
  for (Loop* const loop : loops) shares_.push_back(std::make_unique<FrameConnection::Share>(*loop));
}

FrameServer::~FrameServer() { MILENA_ASSERT(!is_serving_, "a server is destroyed before it was stopped"); }

std::expected<std::uint16_t, std::string> FrameServer::open(const ListenerSpec& spec) {
  constexpr std::uint16_t kFirstFree = 50'000;
  listeners_.push_back(spec);
  if (spec.port == 0) listeners_.back().port = static_cast<std::uint16_t>(kFirstFree + listeners_.size());
  return listeners_.back().port;
}

std::shared_ptr<FrameConnection> FrameServer::connect(std::uint16_t port, std::shared_ptr<FramePeer> peer) {
  const auto listener = std::ranges::find(listeners_, port, &ListenerSpec::port);
  if (!is_serving_ || listener == listeners_.end()) return nullptr;
  constexpr std::uint16_t kFirstClientPort = 20'000;
  const std::uint64_t id = next_id_++;
  ConnectionInfo info;
  info.id = id;
  info.peer = {"127.0.0.1", static_cast<std::uint16_t>(kFirstClientPort + id % 10'000)};
  info.local = {"127.0.0.1", port};
  info.listener = listener->name;
  auto& share = *shares_[id % shares_.size()];
  auto connection =
      std::make_shared<FrameConnection>(share, handler_, limits_, log_, std::move(info), std::move(peer));
  share.loop.post([&share, connection] { share.open.push_back(connection); });
  return connection;
}

void FrameServer::stop() {
  if (!std::exchange(is_serving_, false)) return;
  for (auto& share : shares_) {
    Latch done;
    Closing closing(
        share->loop,
        [&] {
          const auto open = std::vector(share->open.begin(), share->open.end());
          for (const auto& connection : open) {
            connection->write_replies();
            connection->end(true);
          }
          return share->open.empty() && share->requests.in_use() == 0;
        },
        done);
    share->loop.post([&] { closing.start(); });
    runtime_.wait(done);
  }
}

std::size_t FrameServer::connections() const {
  std::size_t sum = 0;
  for (const auto& share : shares_) sum += *share->alive;
  return sum;
}

// Connections of different listeners are not told apart here.
Server::Status FrameServer::status() const {
  Status status;
  for (const auto& share : shares_) status.pending_requests += share->requests.in_use();
  if (!listeners_.empty()) {
    status.listeners.push_back(
        {.name = listeners_.front().name, .open = connections(), .created = next_id_ - 1});
  }
  return status;
}

}  // namespace milena::broker
