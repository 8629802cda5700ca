#include "bench/load/produce_connection.h"

#include "protocol/record_batch.h"

namespace milena::bench {

ProduceConnection::ProduceConnection(const Address& broker, ProduceFrame frame,
                                     const ProduceFrame::Settings& settings, int in_flight, int partitions,
                                     int first_partition)
    : pipe_(broker, in_flight, settings.acks != 0),
      frame_(std::move(frame)),
      due_ns_(pipe_.slots()),
      next_sequence_(static_cast<std::size_t>(partitions)),
      next_partition_(static_cast<std::size_t>(first_partition)) {}

void ProduceConnection::put(std::int64_t due_ns) {
  RequestPipe::Request& request = pipe_.next_request();
  std::int32_t& sequence = next_sequence_[next_partition_];
  request.head.resize(frame_.head_size());
  frame_.write_head({.correlation_id = pipe_.next_correlation_id(),
                     .partition = static_cast<std::int32_t>(next_partition_),
                     .base_sequence = sequence},
                    request.head.data());
  request.rest = frame_.rest();
  request.tail = frame_.tail();
  due_ns_[pipe_.next_slot()] = due_ns;
  pipe_.put();
  sequence = protocol::increment_sequence(sequence, frame_.records());
  if (++next_partition_ == next_sequence_.size()) next_partition_ = 0;
}

std::optional<ProduceConnection::Done> ProduceConnection::next_done() {
  const auto answer = pipe_.next_answer();
  if (!answer) return std::nullopt;
  return Done{due_ns_[answer->slot],
              answer->frame.empty() ? ErrorCode::kNone : frame_.error_in(answer->frame)};
}

}  // namespace milena::bench
