// ProduceConnection: one producer that sends the same batch again and again, to its partitions in turn.
//
// Owned by a run, one thread. Steady work allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bench/load/produce_frame.h"
#include "bench/load/request_pipe.h"
#include "protocol/error_code.h"

namespace milena::bench {

class ProduceConnection {
 public:
  // The turn of partitions begins with `first_partition`.
  ProduceConnection(const Address& broker, ProduceFrame frame, const ProduceFrame::Settings& settings,
                    int in_flight, int partitions, int first_partition);

  RequestPipe& pipe() { return pipe_; }
  const ProduceFrame& frame() const { return frame_; }

  // Puts the next request into a free slot. due_ns: from when its latency counts.
  void put(std::int64_t due_ns);

  struct Done {
    std::int64_t due_ns;
    ErrorCode error;
  };
  // The next request that is over.
  std::optional<Done> next_done();

 private:
  RequestPipe pipe_;
  ProduceFrame frame_;
  std::vector<std::int64_t> due_ns_;         // of the request in each slot
  std::vector<std::int32_t> next_sequence_;  // of each partition
  std::size_t next_partition_;
};

}  // namespace milena::bench
