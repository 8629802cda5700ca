// TimedFrames: Produce requests for any number of records, each of which carries the time it was due.
//
// The time is the first 8 bytes of a record's value, so whoever reads the record can say how late it is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bench/load/fail.h"
#include "bench/load/produce_frame.h"
#include "bench/load/request_pipe.h"
#include "bench/load/sample_records.h"
#include "protocol/record_batch_records.h"

namespace milena::bench {

class TimedFrames {
 public:
  // Batches of 1 to as many records as shape.batch_bytes hold. No codec; records of 8 bytes at least.
  TimedFrames(const ProduceFrame::Settings& settings, const BatchShape& shape, std::int64_t timestamp_ms);

  std::size_t most_records() const { return frames_.size(); }
  const ProduceFrame& frame(std::size_t records) const { return frames_[records - 1].frame; }

  // A request for one record for each of these times. `records` holds them until the request is over.
  void write(std::span<const std::int64_t> due_ns, const ProduceFrame::Stamp& stamp,
             std::vector<std::byte>& records, RequestPipe::Request& request) const;

 private:
  struct Timed {
    ProduceFrame frame;
    std::vector<std::size_t> times_at;  // in frame.rest()
  };
  std::vector<Timed> frames_;
};

// Calls see(due_ns) for each record of a batch that TimedFrames wrote.
template <class See>
void for_each_due_time(const protocol::RecordBatchView& batch, See&& see) {
  protocol::RecordIterator records(batch.payload(), batch.record_count());
  for (;;) {
    const auto record = records.next();
    if (!record || (*record && (!(*record)->value || (*record)->value->size() < sizeof(std::int64_t)))) {
      fail_run("a record that is not ours");
    }
    if (!*record) return;
    see(load_be<std::int64_t>((*record)->value->data()));
  }
}

}  // namespace milena::bench
