#include "bench/load/produce_run.h"

#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "bench/load/epoll.h"
#include "bench/load/fail.h"
#include "bench/load/pacer.h"
#include "bench/load/produce_connection.h"
#include "bench/load/producer_ids.h"
#include "bench/load/time.h"
#include "bench/load/topics.h"

namespace milena::bench {
namespace {

class ProduceRun {
 public:
  explicit ProduceRun(const Options& options) : options_(options), meter_(options.pid), stretch_(meter_) {
    WireClient client(options.broker);
    prepare_topic(client, options.topic, options.partitions, options.create);
    const auto batch = std::make_shared<const std::vector<std::byte>>(full_batch(options.shape, wall_ms()));
    for (int i = 0; i < options.connections; ++i) {
      ProduceFrame::Settings settings{.topic = options.topic,
                                      .acks = static_cast<std::int16_t>(options.acks)};
      if (options.idempotent) settings.producer = new_producer(client, std::nullopt);
      connections_.push_back(
          std::make_unique<ProduceConnection>(options.broker, ProduceFrame(settings, batch), settings,
                                              options.in_flight, options.partitions, i % options.partitions));
      epoll_.add(connections_.back()->pipe().socket(), connections_.back().get());
    }
  }

  Report run() {
    if (options_.warmup_bytes > 0) work({.bytes = options_.warmup_bytes});
    work_ = {};
    latency_.clear();
    stretch_.begin();
    work(options_.extent);
    stretch_.end();
    Report report("produce");
    report.add_work(work_, stretch_, meter_);
    report.add_latency("latency_us", latency_);
    return report;
  }

 private:
  const ProduceFrame& frame() const { return connections_.front()->frame(); }

  // Appends as much as `extent` says and waits until all of it is answered.
  void work(const Extent& extent) {
    const std::int64_t start = now_ns();
    requests_left_ = extent.bytes > 0 ? (extent.bytes + frame().batch_size() - 1) / frame().batch_size()
                                      : std::numeric_limits<std::uint64_t>::max();
    end_ns_ = extent.bytes > 0 ? std::numeric_limits<std::int64_t>::max()
                               : start + static_cast<std::int64_t>(extent.seconds * kSecond);
    pacer_.reset();
    if (options_.rate > 0) pacer_.emplace(options_.rate / frame().records(), start);
    under_way_ = 0;
    for (auto& connection : connections_) advance(*connection);
    std::vector<ProduceConnection*> hungry;
    while (may_put(now_ns()) || under_way_ > 0) {
      for (const epoll_event& event : epoll_.wait(patience_ns())) {
        auto& connection = *static_cast<ProduceConnection*>(event.data.ptr);
        bool more = (event.events & EPOLLIN) != 0;
        do {
          more = more && connection.pipe().receive();
          advance(connection);
        } while (more);
      }
      hungry.swap(hungry_);
      for (ProduceConnection* connection : hungry) advance(*connection);
      hungry.clear();
      if (pacer_) put_what_is_due();
    }
    if (options_.acks == 0) {
      for (auto& connection : connections_) connection->pipe().await_served();
    }
  }

  bool may_put(std::int64_t now) const { return requests_left_ > 0 && now < end_ns_; }

  // How long nothing is to be done unless something comes.
  std::int64_t patience_ns() const {
    if (!hungry_.empty()) return 0;
    std::int64_t until = std::min(end_ns_, now_ns() + kSecond);
    if (pacer_ && requests_left_ > 0 && somebody_is_free_) until = std::min(until, pacer_->next_due_ns());
    return std::max<std::int64_t>(0, until - now_ns());
  }

  // Counts what is over on a connection and gives it something new to do.
  void advance(ProduceConnection& connection) {
    const std::int64_t now = now_ns();
    take_done(connection, now);
    if (!pacer_) {
      while (connection.pipe().has_free_slot() && may_put(now)) put(connection, now);
    }
    connection.pipe().send();
    if (options_.acks != 0) return;
    // What the socket took is over without an answer. If it took all, no event says that it would take more.
    take_done(connection, now);
    if (!pacer_ && connection.pipe().has_free_slot() && may_put(now)) hungry_.push_back(&connection);
  }

  void take_done(ProduceConnection& connection, std::int64_t now) {
    while (const auto done = connection.next_done()) {
      --under_way_;
      ++work_.requests;
      work_.records += static_cast<std::uint64_t>(frame().records());
      work_.bytes += frame().batch_size();
      if (done->error != ErrorCode::kNone) count_error(done->error);
      latency_.add(now - done->due_ns);
    }
  }

  void count_error(ErrorCode error) {
    if (work_.errors++ == 0) fmt::print(stderr, "load: Produce: {}\n", error_name(error));
  }

  void put(ProduceConnection& connection, std::int64_t due_ns) {
    connection.put(due_ns);
    ++under_way_;
    --requests_left_;
  }

  // Gives what is due to the connections in turn, as far as they have slots.
  void put_what_is_due() {
    const std::int64_t now = now_ns();
    somebody_is_free_ = true;
    while (may_put(now) && pacer_->is_due(now)) {
      ProduceConnection* free = next_free();
      somebody_is_free_ = free != nullptr;
      if (free == nullptr) return;
      put(*free, pacer_->take());
      free->pipe().send();
      if (options_.acks == 0) take_done(*free, now);
    }
  }

  ProduceConnection* next_free() {
    for (std::size_t tried = 0; tried < connections_.size(); ++tried) {
      ProduceConnection& connection = *connections_[turn_++ % connections_.size()];
      if (connection.pipe().has_free_slot()) return &connection;
    }
    return nullptr;
  }

  const Options& options_;
  Meter meter_;
  Stretch stretch_;
  Epoll epoll_;
  std::vector<std::unique_ptr<ProduceConnection>> connections_;
  // Of the stretch at hand.
  std::optional<Pacer> pacer_;
  std::int64_t end_ns_ = 0;
  std::uint64_t requests_left_ = 0;
  std::uint64_t under_way_ = 0;
  std::size_t turn_ = 0;
  bool somebody_is_free_ = true;
  std::vector<ProduceConnection*> hungry_;  // would take more, but no event will say so
  Report::Work work_;
  Histogram latency_;
};

}  // namespace

Report run_produce(const Options& options) { return ProduceRun(options).run(); }

}  // namespace milena::bench
