// PendingRequest: what the network knows of a request from its last byte until its reply is written: its
// frame, its answer, its place in the queue of its connection.
//
// Taken from a RequestPool and given back to it; lives on its connection's loop. Handlers see the Request.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "broker/net/buffer_pool.h"
#include "broker/net/request.h"

namespace milena::broker {

class PendingRequest;
class RequestPool;

// A connection, as its requests know it.
class ReplySink {
 public:
  // There is an answer. On the connection's loop.
  virtual void answered(PendingRequest& request) = 0;

 protected:
  ~ReplySink() = default;
};

class PendingRequest final : public Request, private Loop::Job {
 public:
  using Request::Answer;

  // A stretch of the reply: bytes in memory, or a range of a file.
  struct Piece {
    const std::byte* bytes = nullptr;
    const File* file = nullptr;
    std::uint64_t position = 0;
    std::size_t size = 0;
  };

  PendingRequest(Loop& loop, RequestPool& pool) : Request(loop), pool_(pool) {}
  ~PendingRequest() = default;

  // Reads the header of the frame `bytes`, which live as long as the request: in its arena, or in `owner`.
  // Error: why it cannot be handled; kUnsupportedVersion for an API or version that has no codec.
  Status begin(MutableBytes bytes, Buffer owner, ReplySink& sink, std::shared_ptr<ConnectionInfo> connection,
               std::chrono::nanoseconds received_at);
  // The connection is gone: nobody will read a reply. Whoever waits with the request, if anybody does.
  std::shared_ptr<Parked> abandon();
  // For the next use: keeps up to `arena_bytes` of the arena and `pieces_max` pieces.
  void reset(std::size_t arena_bytes, std::size_t pieces_max);

  protocol::RequestStart start() const { return {header_.api->key, header_.version, header_.client_id}; }
  std::size_t frame_size() const { return frame_size_; }
  std::size_t arena_footprint() const { return arena_.footprint(); }
  const std::vector<Piece>& pieces() const { return pieces_; }
  // Whether there is an answer, on the loop.
  bool is_answered() const { return is_answered_; }
  // Instead of a reply: the connection is to be closed.
  bool closes() const { return answer_ == Answer::kClose; }
  bool holds_successors() const { return holds_successors_; }
  // A literal; empty: the request is not served.
  std::string_view close_reason() const { return close_reason_; }

  PendingRequest* next = nullptr;  // in the connection's queue or in the pool

 private:
  void finish(Answer answer, const protocol::Encoded* frame, std::string_view why) override;
  void set_reply(const protocol::Encoded& frame);
  void run() override;

  RequestPool& pool_;
  Buffer frame_;  // empty when the frame lies in the arena
  std::size_t frame_size_ = 0;
  std::vector<Piece> pieces_;
  std::string_view close_reason_;
  ReplySink* sink_ = nullptr;      // null: the connection is gone
  Answer answer_ = Answer::kNone;  // written by the thread that answers, before it posts
  bool is_answered_ = false;
};

}  // namespace milena::broker
