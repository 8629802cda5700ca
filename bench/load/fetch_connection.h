// FetchConnection: one consumer: its partitions, where it is in each, and one Fetch v12 request at a time.
//
// With a session (KIP-227) a request names only partitions whose position changed; otherwise all of them.
// One thread. Steady work allocates nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/arena.h"
#include "bench/load/frame_reader.h"
#include "bench/load/options.h"
#include "protocol/fetch.gen.h"
#include "protocol/record_batch.h"

namespace milena::bench {

class FetchConnection {
 public:
  struct Partition {
    std::int32_t index = 0;
    std::int64_t start_offset = 0;
    std::int64_t next_offset = 0;
    bool changed = true;  // since the session heard of it
  };

  // `options` outlives the connection.
  FetchConnection(const Options& options, std::vector<Partition> partitions);
  ~FetchConnection();
  FetchConnection(FetchConnection&&) = delete;

  int socket() const { return socket_; }
  bool is_waiting() const { return waiting_; }
  std::int64_t asked_ns() const { return asked_ns_; }

  void ask(std::int64_t now_ns);
  // Sends the rest of a request that the socket did not take at once.
  void send();

  struct Answer {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;  // of whole batches
    std::uint64_t errors = 0;
  };
  // Shows each whole batch that comes, besides counting it.
  void on_batch(std::function<void(const protocol::RecordBatchView&)> see) { see_ = std::move(see); }

  // Takes what has come. True: the answer is complete and was put into `answer`, and the positions moved.
  bool receive(Answer& answer);

 private:
  void read(BytesView frame, Answer& answer);
  void read(const protocol::FetchResponse::FetchableTopicResponse::PartitionData& from, Answer& answer);
  Partition* find(std::int32_t index);
  void count_error(ErrorCode error, Answer& answer);

  const Options& options_;
  int socket_;
  std::vector<Partition> partitions_;
  std::vector<std::size_t> place_of_;  // index in partitions_ + 1, by partition; 0: not ours
  std::int32_t session_id_ = 0;
  std::int32_t session_epoch_ = 0;
  std::int32_t correlation_id_ = 0;
  bool waiting_ = false;
  std::int64_t asked_ns_ = 0;
  Arena arena_;
  std::vector<std::byte> request_;
  std::size_t sent_ = 0;
  FrameReader reader_;
  std::function<void(const protocol::RecordBatchView&)> see_;
};

}  // namespace milena::bench
