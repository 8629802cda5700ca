#include "bench/load/timed_frames.h"

#include <memory>

namespace milena::bench {

TimedFrames::TimedFrames(const ProduceFrame::Settings& settings, const BatchShape& shape,
                         std::int64_t timestamp_ms) {
  const std::vector<std::byte> full = full_batch(shape, timestamp_ms);
  const auto most = static_cast<std::size_t>(protocol::RecordBatchView::parse(full)->record_count());
  for (std::size_t count = 1; count <= most; ++count) {
    const auto bytes =
        std::make_shared<const std::vector<std::byte>>(sample_batch(shape, count, timestamp_ms));
    const auto batch = *protocol::RecordBatchView::parse(*bytes);
    std::vector<std::size_t> times_at;
    protocol::RecordIterator records(batch.payload(), batch.record_count());
    for (std::size_t i = 0; i < count; ++i) {
      const protocol::RecordView record = **records.next();
      times_at.push_back(static_cast<std::size_t>(record.value->data() - batch.payload().data()));
    }
    frames_.push_back({ProduceFrame(settings, bytes), std::move(times_at)});
  }
}

void TimedFrames::write(std::span<const std::int64_t> due_ns, const ProduceFrame::Stamp& stamp,
                        std::vector<std::byte>& records, RequestPipe::Request& request) const {
  const Timed& timed = frames_[due_ns.size() - 1];
  records.assign(timed.frame.rest().begin(), timed.frame.rest().end());
  for (std::size_t i = 0; i < due_ns.size(); ++i) store_be(records.data() + timed.times_at[i], due_ns[i]);
  request.head.resize(timed.frame.head_size());
  timed.frame.write_head(stamp, request.head.data());
  timed.frame.seal(request.head.data(), records);
  request.rest = records;
  request.tail = timed.frame.tail();
}

}  // namespace milena::bench
