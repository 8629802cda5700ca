#include "bench/load/partitions_run.h"

#include <memory>
#include <string>
#include <vector>

#include "bench/load/epoll.h"
#include "bench/load/fail.h"
#include "bench/load/fetch_connection.h"
#include "bench/load/produce_connection.h"
#include "bench/load/time.h"
#include "bench/load/topics.h"

namespace milena::bench {
namespace {

class PartitionsRun {
 public:
  explicit PartitionsRun(const Options& options)
      : options_(options), meter_(options.pid), client_(options.broker), report_("partitions") {}

  Report run() {
    create();
    open_session();
    fetch("fetch_idle", [] {});
    connect_producer();
    fetch("fetch_one_changed", [this] { produce_one(); });
    return std::move(report_);
  }

 private:
  void create() {
    const auto before = meter_.resident_kb();
    Stretch creation(meter_);
    creation.begin();
    // Until every partition serves: a broker may answer before it has made them.
    prepare_topic(client_, options_.topic, options_.partitions, true);
    creation.end();
    Report::Work work{.requests = 1};
    report_.add_work(work, creation, meter_);
    report_.add("count", std::int64_t{options_.partitions});
    const auto after = meter_.resident_kb();
    if (before && after) {
      report_.add("broker_rss_before_kb", *before);
      report_.add("rss_bytes_per_partition",
                  std::optional(static_cast<double>(*after - *before) * 1024 / options_.partitions));
    }
  }

  void open_session() {
    std::vector<FetchConnection::Partition> partitions;
    for (int i = 0; i < options_.partitions; ++i) partitions.push_back({.index = i});
    consumer_ = std::make_unique<FetchConnection>(options_, std::move(partitions));
    epoll_.add(consumer_->socket(), consumer_.get());
    Stretch opening(meter_);
    opening.begin();
    fetch_once();
    opening.end();
    report_.add("fetch_open_ms", std::optional(opening.seconds() * 1000));
  }

  // Fetches for a while, calling `change` before each; adds figures whose names begin with `name`.
  template <class Change>
  void fetch(const std::string& name, Change&& change) {
    Stretch stretch(meter_);
    Histogram latency;
    std::uint64_t fetches = 0;
    std::uint64_t records = 0;
    const std::int64_t end = now_ns() + static_cast<std::int64_t>(options_.extent.seconds * kSecond);
    stretch.begin();
    for (; now_ns() < end; ++fetches) {
      change();
      const std::int64_t asked = now_ns();
      records += fetch_once().records;
      latency.add(now_ns() - asked);
    }
    stretch.end();
    report_.add(name + "_requests", static_cast<std::int64_t>(fetches));
    report_.add(name + "_records", static_cast<std::int64_t>(records));
    const auto cpu = stretch.broker_cpu_s();
    report_.add(name + "_cpu_us",
                cpu ? std::optional(*cpu * 1e6 / static_cast<double>(fetches)) : std::nullopt);
    report_.add_latency(name + "_latency_us", latency);
  }

  FetchConnection::Answer fetch_once() {
    FetchConnection::Answer answer;
    consumer_->ask(now_ns());
    while (consumer_->is_waiting()) {
      for (const epoll_event& event : epoll_.wait(Epoll::kForever)) {
        if (event.data.ptr != consumer_.get()) continue;
        consumer_->send();
        if ((event.events & EPOLLIN) != 0) consumer_->receive(answer);
      }
    }
    if (answer.errors > 0) fail_run("the consumer cannot go on");
    return answer;
  }

  void connect_producer() {
    const ProduceFrame::Settings settings{.topic = options_.topic, .acks = 1};
    const auto batch = std::make_shared<const std::vector<std::byte>>(sample_batch({}, 1, wall_ms()));
    producer_ = std::make_unique<ProduceConnection>(options_.broker, ProduceFrame(settings, batch), settings,
                                                    1, options_.partitions, 0);
    epoll_.add(producer_->pipe().socket(), producer_.get());
  }

  // One record to the next partition.
  void produce_one() {
    producer_->put(0);
    producer_->pipe().send();
    while (!producer_->pipe().is_idle()) {
      for (const epoll_event& event : epoll_.wait(Epoll::kForever)) {
        if (event.data.ptr != producer_.get()) continue;
        if ((event.events & EPOLLIN) != 0) producer_->pipe().receive();
        if (const auto done = producer_->next_done()) require_success("Produce", done->error);
      }
    }
  }

  const Options& options_;
  Meter meter_;
  WireClient client_;
  Epoll epoll_;
  std::unique_ptr<FetchConnection> consumer_;
  std::unique_ptr<ProduceConnection> producer_;
  Report report_;
};

}  // namespace

Report run_partitions(const Options& options) {
  Options at_the_tail = options;
  at_the_tail.from_latest = true;
  at_the_tail.sessions = true;
  at_the_tail.max_wait_ms = 0;
  return PartitionsRun(at_the_tail).run();
}

}  // namespace milena::bench
