// Request, Responder, RequestHandler: the seam between the network and the handlers. No sockets here.
//
// A request lives on its connection's loop. It owns its frame and its arena; both are recycled after the
// reply was written, so whatever must live longer is copied out. Replies leave in the order of the requests;
// the next request of the connection may be handled as soon as handle() returns, so a handler orders its
// effects before it returns and waits afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/async/loop.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/fs.h"
#include "broker/net/buffer_pool.h"
#include "broker/net/connection_info.h"
#include "protocol/codec.h"
#include "protocol/frame.h"

namespace milena::broker {

class Connection;
class NetLoop;
class ReplyWriter;
class RequestPool;
class RequestQueue;

// Bytes of a file that a reply contains: what RecordsRef::external points at. It lies in the request's arena
// and the file is pinned.
struct FileRange {
  const File* file = nullptr;
  std::uint64_t position = 0;
};

// A request that waits, from its connection's point of view.
class Parked {
 public:
  virtual ~Parked() = default;
  // The connection is gone, nobody will read a reply: stop waiting and let go of the Responder. On the
  // connection's loop.
  virtual void connection_lost() = 0;
};

class Request final : private Loop::Job {
 public:
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // API, version, correlation id, client id. Views point into the frame.
  const protocol::Request& header() const { return header_; }
  // What follows the header. Writable: Produce patches offsets and epochs into the batches in place.
  MutableBytes body() const { return body_; }
  // Messages of this request and its reply. One thread at a time: whoever holds the Responder.
  Arena& arena() { return arena_; }
  ConnectionInfo& connection() const { return *connection_info_; }
  Loop& loop() const { return loop_; }
  // When the last byte was read.
  Instant received_at() const { return received_at_; }

  // The next request of this connection waits until this one is answered: for one whose effects cannot be
  // ordered before handle() returns (a change of metadata, a write that asks a coordinator first). On the
  // request's loop, before handle() returns.
  void hold_successors() { holds_successors_ = true; }

  // Keeps the owner alive until the reply is written: the file of a FileRange, the block of a SharedBytes.
  void pin(std::shared_ptr<const void> owner) { pins_.push_back(std::move(owner)); }

 private:
  friend class Connection;
  friend class NetLoop;
  friend class ReplyWriter;
  friend class RequestPool;
  friend class RequestQueue;
  friend class Responder;

  enum class Answer : std::uint8_t { kNone, kReply, kNothing, kClose };

  // A stretch of the reply: bytes in memory, or a range of a file.
  struct Piece {
    const std::byte* bytes = nullptr;
    const File* file = nullptr;
    std::uint64_t position = 0;
    std::size_t size = 0;
  };

  explicit Request(Loop& loop) : loop_(loop) {}
  protocol::RequestStart start() const { return {header_.api->key, header_.version, header_.client_id}; }
  ~Request() = default;

  void set_reply(const protocol::Encoded& frame);
  void finish(Answer answer);
  void run() override;

  Loop& loop_;
  protocol::Request header_{};
  MutableBytes body_;
  Buffer frame_;  // empty when the frame lies in the arena
  std::size_t frame_size_ = 0;
  Arena arena_;
  std::shared_ptr<ConnectionInfo> connection_info_;
  Instant received_at_{};
  std::vector<Piece> pieces_;
  std::vector<std::shared_ptr<const void>> pins_;
  std::weak_ptr<Parked> parked_;
  std::string_view close_reason_;  // a literal; empty: the request is not served

  // Loop only.
  NetLoop* home_ = nullptr;
  Connection* connection_ = nullptr;  // null: the connection is gone
  Request* next_ = nullptr;           // in the connection's queue or in the pool
  Answer answer_ = Answer::kNone;     // also written by the thread that answers, before it posts
  bool answered_ = false;
  bool holds_successors_ = false;
};

// The duty to answer one request: exactly one of the verbs, once, from any thread. The request must not be
// touched afterwards. A Responder that is dropped without an answer closes the connection: no client waits in
// vain.
class Responder {
 public:
  explicit Responder(Request& request) : request_(&request) {}
  Responder(Responder&& other) noexcept : request_(std::exchange(other.request_, nullptr)) {}
  Responder& operator=(Responder&& other) noexcept {
    std::swap(request_, other.request_);
    return *this;
  }
  ~Responder() {
    if (request_ != nullptr) close("the request was dropped");
  }

  Request& request() const { return *request_; }

  // Answers with a message, in the version of the request. A request whose version is not served is an
  // ApiVersions request, and is answered in version 0. Bytes that the message splices in lie in the request's
  // arena or frame or are pinned; an external RecordsRef points to a FileRange.
  template <class M>
  void send(const M& response) {
    const protocol::Request& header = request_->header();
    const int version = header.version_served ? header.version : 0;
    send_frame(protocol::encode_response(response, version, header.correlation_id, request_->arena()));
  }
  // The same for a frame that was encoded with protocol::encode_response in the request's arena.
  void send_frame(const protocol::Encoded& frame);
  // There is no reply to this request (Produce with acks=0).
  void send_nothing();
  // Closes the connection once the replies before this one are written. `why` is a literal, for the log.
  void close(const char* why);
  // The same because the API, or this version of it, is not served.
  void close_unserved();

  // On the request's loop, before handle() returns: whom to tell when the connection is lost.
  void park(std::weak_ptr<Parked> parked) { request_->parked_ = std::move(parked); }

 private:
  Request* request_;
};

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // On the loop of the request's connection; must not block. The header is valid: a known API in a version
  // that its codec has, or ApiVersions in any version at all (the answer to an unknown one is a v0 body with
  // UNSUPPORTED_VERSION). The body is not decoded yet.
  virtual void handle(Request& request, Responder responder) = 0;
};

}  // namespace milena::broker
