// Request, Responder, RequestHandler: the seam between the network and the handlers. No sockets here.
//
// A request lives on its connection's loop. Its frame and its arena are recycled after the reply was written,
// so whatever must live longer is copied out. Replies leave in the order of the requests; the next request of
// the connection may be handled as soon as handle() returns, so a handler orders its effects before it
// returns and waits afterwards. What the network keeps about a request is PendingRequest's.
#pragma once

#include <chrono>
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
#include "broker/net/connection_info.h"
#include "protocol/codec.h"
#include "protocol/error_code.h"
#include "protocol/errors_of.h"
#include "protocol/frame.h"

namespace milena::broker {

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

class Request {
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
  Instant received_at() const { return std::chrono::duration_cast<Instant>(received_at_); }
  std::chrono::nanoseconds fine_received_at() const { return received_at_; }

  // The next request of this connection waits until this one is answered: for one whose effects cannot be
  // ordered before handle() returns (a change of metadata, a write that asks a coordinator first). On the
  // request's loop, before handle() returns.
  void hold_successors() { holds_successors_ = true; }

  // An error that the answer tells. In the arena, each code once.
  struct ErrorCount {
    ErrorCode code = ErrorCode::kNone;
    std::uint32_t times = 0;
    ErrorCount* next = nullptr;
  };
  // Null: none.
  const ErrorCount* errors() const { return errors_; }
  // For an answer that is not sent as a message. Whoever holds the Responder.
  void count_error(ErrorCode code);

  // Keeps the owner alive until the reply is written: the file of a FileRange, the block of a SharedBytes.
  void pin(std::shared_ptr<const void> owner) { pins_.push_back(std::move(owner)); }

 protected:
  enum class Answer : std::uint8_t { kNone, kReply, kNothing, kClose };

  explicit Request(Loop& loop) : loop_(loop) {}
  ~Request() = default;

  // From the Responder, once, on any thread. `frame` lives in the arena; null unless there is a reply. `why`
  // is a literal, empty unless the connection is to be closed because of something else than the API.
  virtual void finish(Answer answer, const protocol::Encoded* frame, std::string_view why) = 0;

  Loop& loop_;
  protocol::Request header_{};
  MutableBytes body_;
  Arena arena_;
  std::shared_ptr<ConnectionInfo> connection_info_;
  std::chrono::nanoseconds received_at_{};
  ErrorCount* errors_ = nullptr;
  std::vector<std::shared_ptr<const void>> pins_;
  std::weak_ptr<Parked> parked_;
  bool holds_successors_ = false;

 private:
  friend class Responder;
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
    protocol::for_each_error(response, [this](ErrorCode code) { request_->count_error(code); });
    const protocol::Request& header = request_->header();
    const int version = header.version_served ? header.version : 0;
    send_frame(protocol::encode_response(response, version, header.correlation_id, request_->arena()));
  }
  // The same for a frame that was encoded with protocol::encode_response in the request's arena, which tells
  // no error.
  void send_frame(const protocol::Encoded& frame) { finish(Request::Answer::kReply, &frame, ""); }
  // There is no reply to this request (Produce with acks=0).
  void send_nothing() { finish(Request::Answer::kNothing, nullptr, ""); }
  // Closes the connection once the replies before this one are written. `why` is a literal, for the log.
  void close(const char* why) { finish(Request::Answer::kClose, nullptr, why); }
  // The same because the API, or this version of it, is not served.
  void close_unserved() { close(""); }

  // On the request's loop, before handle() returns: whom to tell when the connection is lost.
  void park(std::weak_ptr<Parked> parked) { request_->parked_ = std::move(parked); }

 private:
  void finish(Request::Answer answer, const protocol::Encoded* frame, std::string_view why) {
    std::exchange(request_, nullptr)->finish(answer, frame, why);
  }

  Request* request_;
};

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // On the loop of the request's connection; must not block. The header is valid: a known API in a version
  // that its codec has, or ApiVersions in any version at all (the answer to an unknown one is a v0 body with
  // UNSUPPORTED_VERSION). The body is not decoded yet.
  virtual void handle(Request& request, Responder responder) = 0;
  // The reply is written, or there is none to write; not called when the connection ended first. `took`:
  // since the request's last byte was read. On the loop of the request's connection; must not block.
  virtual void finished(const Request& request, std::chrono::nanoseconds took) { (void)request, (void)took; }
};

}  // namespace milena::broker
