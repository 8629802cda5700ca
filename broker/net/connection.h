// Connection: one client: frames in, replies out, in order.
//
// Belongs to one loop for life and runs only there. Reads into a kilobyte of its own while it waits and into
// its loop's scratch memory when there is more, so an idle connection costs two kilobytes. Every request is
// handed to the handler as soon as it is complete, whether or not the ones before it are answered.
//
// At most NetLimits::in_flight_max requests are unanswered or unwritten. While the peer does not take
// replies, no request is handled and nothing is read. Work per turn is bounded. A connection ends when the
// peer is gone or breaks the protocol, when it is idle or a frame does not get finished, when a handler says
// so, and when the server stops. Parked requests are told.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "base/async/loop.h"
#include "broker/net/byte_stream.h"
#include "broker/net/connection_info.h"
#include "broker/net/frame_reader.h"
#include "broker/net/net_loop.h"
#include "broker/net/reply_writer.h"
#include "broker/net/request.h"
#include "broker/net/request_memory.h"

namespace milena::broker {

class Connection final : public std::enable_shared_from_this<Connection>,
                         private Loop::Job,
                         private RequestMemory::Account,
                         private ReplySink,
                         private ByteStream::Waiter {
 public:
  Connection(NetLoop& net, std::unique_ptr<ByteStream> stream, std::shared_ptr<ConnectionInfo> info);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  void start();
  // Writes what is ready and closes.
  void stop();
  const ConnectionInfo& info() const { return *info_; }

 private:
  static constexpr std::size_t kTurnBytes = 512 * 1024;
  static constexpr Instant kWarmFor{1000};  // without a word, before the larger buffer goes to somebody else
  enum class Writing : std::uint8_t { kIdle, kBlocked, kYielded };

  // A turn: handles frames, reads more if `more`, writes replies, decides what to wait for.
  void turn(bool more);
  void handle_frames();
  void start_request(FrameReader::Frame& frame);
  void write_replies();
  bool read_more(std::size_t& budget);
  void wait_for_next();
  void turn_later();
  MutableBytes read_buffer();
  std::shared_ptr<ByteStream::Waiter> shared_waiter();
  bool can_cool_down() const;
  void cool_down();

  bool may_handle() const;
  bool may_read();
  bool is_memory_free() const;
  bool rest_of_frame_is_here();
  bool is_busy() const;
  Instant next_deadline() const;
  void watch_deadline();
  void on_deadline();
  void refuse(std::string_view why);
  void end_requests();
  void close();

  // ReplySink
  void answered(PendingRequest& request) override;
  // Loop::Job
  void run() override;
  // RequestMemory::Account
  void retry_read() override;
  void reclaim() override;
  // ByteStream::Waiter
  void bytes_arrived(ssize_t n) override;
  void may_write() override;

  NetLoop& net_;
  const std::unique_ptr<ByteStream> stream_;
  const std::shared_ptr<ConnectionInfo> info_;
  std::optional<NetLoop::Place> place_;  // as long as the connection is open
  FrameReader reader_;
  RequestQueue queue_;
  ReplyWriter writer_;
  std::shared_ptr<Connection> self_;  // while a turn is posted

  bool in_turn_ = false;
  bool reading_ = false;
  bool no_more_requests_ = false;  // the peer closed its side, or broke the protocol, or has to go
  bool wants_warm_ = false;        // the last read filled its buffer
  bool unread_ = false;            // the last turn ended before the socket was empty
  Writing writing_ = Writing::kIdle;

  Timer deadline_;
  std::chrono::nanoseconds turn_began_{};
  Instant active_at_{};  // the same
  std::optional<Instant> partial_since_;
  Instant no_more_since_{};
  Buffer warm_;
  std::array<std::byte, 1024> first_bytes_;
};

}  // namespace milena::broker
