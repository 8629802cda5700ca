#include "bench/load/latency_run.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "bench/load/epoll.h"
#include "bench/load/fail.h"
#include "bench/load/fetch_connection.h"
#include "bench/load/pacer.h"
#include "bench/load/request_pipe.h"
#include "bench/load/time.h"
#include "bench/load/timed_frames.h"
#include "bench/load/topics.h"

namespace milena::bench {
namespace {

// Records of this time are sent like all others, but not measured.
constexpr std::int64_t kWarmUp = kSecond;
constexpr std::int64_t kPatience = 30 * kSecond;

// One producer's connection. As a client without linger does, it sends what is due at once; what becomes due
// while all its requests are under way goes into the next batch together.
struct TimedProducer {
  TimedProducer(const Options& options, int first_partition)
      : pipe(options.broker, options.in_flight, options.acks != 0),
        records(pipe.slots()),
        due_ns(pipe.slots()),
        partition(first_partition) {}

  RequestPipe pipe;
  std::vector<std::vector<std::byte>> records;    // of the request in each slot
  std::vector<std::vector<std::int64_t>> due_ns;  // of its records
  std::int32_t partition;                         // of the next request
};

class LatencyRun {
 public:
  explicit LatencyRun(const Options& options)
      : options_(options),
        meter_(options.pid),
        stretch_(meter_),
        frames_({.topic = options.topic, .acks = static_cast<std::int16_t>(options.acks)}, options.shape,
                wall_ms()) {
    WireClient client(options.broker);
    prepare_topic(client, options.topic, options.partitions, options.create);
    std::vector<FetchConnection::Partition> partitions;
    for (const std::int64_t end : list_offsets(client, options.topic, options.partitions, LogEnd::kLatest)) {
      const auto index = static_cast<std::int32_t>(partitions.size());
      partitions.push_back({.index = index, .start_offset = end, .next_offset = end});
    }
    consumer_ = std::make_unique<FetchConnection>(options, std::move(partitions));
    consumer_->on_batch([this](const protocol::RecordBatchView& batch) { consume(batch); });
    epoll_.add(consumer_->socket(), nullptr);
    for (int i = 0; i < options.connections; ++i) {
      producers_.push_back(std::make_unique<TimedProducer>(options, i % options.partitions));
      epoll_.add(producers_.back()->pipe.socket(), producers_.back().get());
    }
  }

  Report run() {
    consumer_->ask(now_ns());
    const std::int64_t start = now_ns();
    measured_from_ns_ = start + kWarmUp;
    const std::int64_t end = measured_from_ns_ + static_cast<std::int64_t>(options_.extent.seconds * kSecond);
    Pacer pacer(options_.rate, start);
    bool measuring = false;
    while (pacer.next_due_ns() < end || consumed_ < produced_) {
      const std::int64_t now = now_ns();
      if (!measuring && now >= measured_from_ns_) {
        stretch_.begin();
        measuring = true;
      }
      if (now > end + kPatience)
        fail_run("{} of {} records did not arrive", produced_ - consumed_, produced_);
      wait(pacer.next_due_ns() < end && has_free_producer() ? pacer.next_due_ns() - now : kSecond);
      produce(pacer, std::min(end - 1, now_ns()));
    }
    stretch_.end();
    Report report("latency");
    report.add_work(work_, stretch_, meter_);
    report.add_latency("latency_us", end_to_end_);
    report.add_latency("produce_us", acknowledged_);
    return report;
  }

 private:
  void wait(std::int64_t timeout_ns) {
    for (const epoll_event& event : epoll_.wait(std::max<std::int64_t>(0, timeout_ns))) {
      if (event.data.ptr == nullptr) {
        receive();
      } else {
        auto& producer = *static_cast<TimedProducer*>(event.data.ptr);
        bool more = (event.events & EPOLLIN) != 0;
        do {
          more = more && producer.pipe.receive();
          take_answers(producer);
        } while (more);
        producer.pipe.send();
        take_answers(producer);  // without acks, what the socket took is over
      }
    }
  }

  // Sends what is due, as far as producers have free slots.
  void produce(Pacer& pacer, std::int64_t now) {
    while (pacer.is_due(now) && has_free_producer()) {
      TimedProducer& producer = *producers_[turn_++ % producers_.size()];
      if (!producer.pipe.has_free_slot()) continue;
      std::vector<std::int64_t>& due = producer.due_ns[producer.pipe.next_slot()];
      due.clear();
      while (pacer.is_due(now) && due.size() < frames_.most_records()) due.push_back(pacer.take());
      frames_.write(due,
                    {.correlation_id = producer.pipe.next_correlation_id(), .partition = producer.partition},
                    producer.records[producer.pipe.next_slot()], producer.pipe.next_request());
      producer.pipe.put();
      producer.pipe.send();
      produced_ += due.size();
      if (++producer.partition == options_.partitions) producer.partition = 0;
      take_answers(producer);
    }
  }

  bool has_free_producer() const {
    return std::ranges::any_of(producers_, [](const auto& one) { return one->pipe.has_free_slot(); });
  }

  void take_answers(TimedProducer& producer) {
    const std::int64_t now = now_ns();
    while (const auto answer = producer.pipe.next_answer()) {
      const std::vector<std::int64_t>& due = producer.due_ns[answer->slot];
      const ProduceFrame& frame = frames_.frame(due.size());
      if (!answer->frame.empty()) {
        // A record that was refused never arrives, so there is nothing to wait for.
        require_success("Produce", frame.error_in(answer->frame));
      }
      if (due.front() < measured_from_ns_) continue;
      ++work_.requests;
      work_.records += due.size();
      work_.bytes += frame.batch_size();
      for (const std::int64_t due_ns : due) acknowledged_.add(now - due_ns);
    }
  }

  void receive() {
    FetchConnection::Answer answer;
    consumer_->send();
    arrived_ns_ = 0;
    if (!consumer_->receive(answer)) return;
    if (answer.errors > 0) fail_run("the consumer cannot go on");
    consumer_->ask(now_ns());
  }

  void consume(const protocol::RecordBatchView& batch) {
    if (arrived_ns_ == 0) arrived_ns_ = now_ns();
    for_each_due_time(batch, [this](std::int64_t due_ns) {
      ++consumed_;
      if (due_ns >= measured_from_ns_) end_to_end_.add(arrived_ns_ - due_ns);
    });
  }

  const Options& options_;
  Meter meter_;
  Stretch stretch_;
  Epoll epoll_;
  TimedFrames frames_;
  std::vector<std::unique_ptr<TimedProducer>> producers_;
  std::unique_ptr<FetchConnection> consumer_;
  std::size_t turn_ = 0;
  std::int64_t measured_from_ns_ = 0;
  std::int64_t arrived_ns_ = 0;  // of the answer at hand
  std::uint64_t produced_ = 0;
  std::uint64_t consumed_ = 0;
  Report::Work work_;
  Histogram acknowledged_;
  Histogram end_to_end_;
};

}  // namespace

Report run_latency(const Options& options) {
  Options at_the_tail = options;
  at_the_tail.from_latest = true;
  at_the_tail.sessions = true;
  return LatencyRun(at_the_tail).run();
}

}  // namespace milena::bench
