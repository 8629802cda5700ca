// The few requests that a generator makes before it starts: Metadata, CreateTopics, ListOffsets,
// InitProducerId.
//
// Answers as a broker alone in its cluster would. One thread.
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "base/bytes.h"
#include "bench/null_broker/answer_queue.h"
#include "bench/null_broker/topics.h"

namespace milena::bench {

class ControlRequests {
 public:
  ControlRequests(Topics& topics, std::uint16_t port) : topics_(topics), port_(port) {}

  // `frame` is a whole request without its size. False: malformed, or a request it does not know.
  bool answer(BytesView frame, AnswerQueue& answers);

 private:
  Topics& topics_;
  std::uint16_t port_;
  std::int64_t next_producer_id_ = 0;
  Arena arena_;
};

}  // namespace milena::bench
