// RequestPipe: a connection on which several requests may be under way. Answers come in order.
//
// Owned by what fills it, one thread. Requests that were put wait in slots until the socket takes them; all
// that wait are sent with one call. Steady work allocates nothing. Whoever needs to remember something about
// a request keeps it under the number of its slot.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bench/load/frame_reader.h"
#include "bench/load/sockets.h"

namespace milena::bench {

class RequestPipe {
 public:
  // Without answers (acks=0) a request is over when the socket has taken it.
  RequestPipe(const Address& broker, int slots, bool answers);
  ~RequestPipe();
  RequestPipe(const RequestPipe&) = delete;
  RequestPipe& operator=(const RequestPipe&) = delete;

  int socket() const { return socket_; }
  std::size_t slots() const { return slots_.size(); }
  bool has_free_slot() const { return put_ - over_ < slots_.size(); }
  bool is_idle() const { return put_ == over_; }

  // A frame in pieces. `rest` and `tail` stay alive until the request is over.
  struct Request {
    std::vector<std::byte> head;
    BytesView rest = {};
    BytesView tail = {};

    std::size_t size() const { return head.size() + rest.size() + tail.size(); }
  };
  // The next request is built here, with this correlation id, and then put. There must be a free slot.
  std::size_t next_slot() const { return put_ % slots_.size(); }
  std::int32_t next_correlation_id() const { return correlation_id(put_); }
  Request& next_request() { return slots_[next_slot()]; }
  void put() { ++put_; }

  // Sends what was put, as far as the socket takes it.
  void send();
  // Takes what has come; true: there may be more once next_answer() finds nothing.
  bool receive() { return reader_.fill(socket_); }

  struct Answer {
    std::size_t slot;
    BytesView frame;  // without its size; empty without answers
  };
  // The next request that is over. An answer to something else ends the run. Valid until receive().
  std::optional<Answer> next_answer();

  // Without answers: returns when the broker has served everything that was sent.
  void await_served();

 private:
  static std::int32_t correlation_id(std::uint64_t request) {
    return static_cast<std::int32_t>(request & 0x7fffffff);
  }

  int socket_;
  bool answers_;
  std::vector<Request> slots_;
  // Requests put, taken by the socket, and over; each counts from the start.
  std::uint64_t put_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t over_ = 0;
  std::size_t partly_sent_ = 0;  // bytes of request sent_
  FrameReader reader_;
};

}  // namespace milena::bench
