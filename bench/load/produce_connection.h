// ProduceConnection: one producer's connection. Up to in_flight requests are under way; answers come in
// order.
//
// Owned by a run, one thread. Requests that were put wait in slots until the socket takes them; what waits is
// sent with one call. Steady work allocates nothing. With acks=0 there are no answers, and a request is over
// when the socket has taken it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bench/load/frame_reader.h"
#include "bench/load/produce_frame.h"
#include "bench/load/sockets.h"
#include "protocol/error_code.h"

namespace milena::bench {

class ProduceConnection {
 public:
  // Partitions are taken in turn, beginning with `first_partition`.
  ProduceConnection(const Address& broker, ProduceFrame frame, const ProduceFrame::Settings& settings,
                    int in_flight, int partitions, int first_partition);
  ~ProduceConnection();
  ProduceConnection(ProduceConnection&&) = delete;

  int socket() const { return socket_; }
  const ProduceFrame& frame() const { return frame_; }
  bool has_free_slot() const { return put_ - over_ < slots_.size(); }

  // Puts the next request into a free slot. due_ns: from when its latency counts.
  void put(std::int64_t due_ns);
  // Sends what was put, as far as the socket takes it.
  void send();
  // Takes what has come; true: there may be more once next_done() finds nothing.
  bool receive() { return reader_.fill(socket_); }

  struct Done {
    std::int64_t due_ns;
    ErrorCode error;
  };
  // The next request that is over.
  std::optional<Done> next_done();

  // With acks=0: returns when the broker has served everything that was sent.
  void await_served();

 private:
  struct Slot {
    std::int64_t due_ns = 0;
    std::int32_t correlation_id = 0;
    std::vector<std::byte> head;
  };
  Slot& slot(std::uint64_t request) { return slots_[request % slots_.size()]; }
  ErrorCode error_in(BytesView answer, std::int32_t correlation_id) const;

  int socket_;
  ProduceFrame frame_;
  bool answers_;
  std::size_t error_at_;  // of the error code in an answer
  std::vector<Slot> slots_;
  // Requests put, taken by the socket, and over; each counts from the start.
  std::uint64_t put_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t over_ = 0;
  std::size_t partly_sent_ = 0;              // bytes of request sent_
  std::vector<std::int32_t> next_sequence_;  // of each partition
  std::size_t next_partition_;
  FrameReader reader_;
};

}  // namespace milena::bench
