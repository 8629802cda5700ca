#include "bench/load/fetch_run.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "bench/load/epoll.h"
#include "bench/load/fetch_connection.h"
#include "bench/load/time.h"
#include "bench/load/topics.h"

namespace milena::bench {
namespace {

class FetchRun {
 public:
  explicit FetchRun(const Options& options) : options_(options), meter_(options.pid), stretch_(meter_) {
    WireClient client(options.broker);
    prepare_topic(client, options.topic, options.partitions, options.create);
    const LogEnd end = options.from_latest ? LogEnd::kLatest : LogEnd::kEarliest;
    const std::vector<std::int64_t> offsets = list_offsets(client, options.topic, options.partitions, end);
    // Partitions are dealt out; connections beyond their number read one that another reads, too.
    for (int i = 0; i < options.connections; ++i) {
      std::vector<FetchConnection::Partition> partitions;
      for (int index = i % options.partitions; index < options.partitions; index += options.connections) {
        const std::int64_t offset = offsets[static_cast<std::size_t>(index)];
        partitions.push_back({.index = index, .start_offset = offset, .next_offset = offset});
      }
      connections_.push_back(std::make_unique<FetchConnection>(options, std::move(partitions)));
      epoll_.add(connections_.back()->socket(), connections_.back().get());
    }
  }

  Report run() {
    if (options_.warmup_bytes > 0) work({.bytes = options_.warmup_bytes});
    latency_.clear();
    stretch_.begin();
    work(options_.extent);
    stretch_.end();
    Report report("fetch");
    report.add_work(work_, stretch_, meter_);
    report.add_latency("latency_us", latency_);
    return report;
  }

 private:
  // Reads as much as `extent` says, and what was asked for by then.
  void work(const Extent& extent) {
    work_ = {};
    bytes_ = extent.bytes > 0 ? extent.bytes : std::numeric_limits<std::uint64_t>::max();
    end_ns_ = extent.bytes > 0 ? std::numeric_limits<std::int64_t>::max()
                               : now_ns() + static_cast<std::int64_t>(extent.seconds * kSecond);
    waiting_ = 0;
    for (auto& connection : connections_) go_on(*connection);
    while (waiting_ > 0) {
      for (const epoll_event& event : epoll_.wait(Epoll::kForever)) {
        auto& connection = *static_cast<FetchConnection*>(event.data.ptr);
        if (!connection.is_waiting()) continue;
        connection.send();
        FetchConnection::Answer answer;
        if ((event.events & EPOLLIN) == 0 || !connection.receive(answer)) continue;
        --waiting_;
        ++work_.requests;
        work_.records += answer.records;
        work_.bytes += answer.bytes;
        work_.errors += answer.errors;
        latency_.add(now_ns() - connection.asked_ns());
        go_on(connection);
      }
    }
  }

  void go_on(FetchConnection& connection) {
    const std::int64_t now = now_ns();
    if (work_.bytes >= bytes_ || now >= end_ns_ || work_.errors > 0) return;
    connection.ask(now);
    ++waiting_;
  }

  const Options& options_;
  Meter meter_;
  Stretch stretch_;
  Epoll epoll_;
  std::vector<std::unique_ptr<FetchConnection>> connections_;
  std::size_t waiting_ = 0;
  // Of the stretch at hand.
  std::uint64_t bytes_ = 0;
  std::int64_t end_ns_ = 0;
  Report::Work work_;
  Histogram latency_;
};

}  // namespace

Report run_fetch(const Options& options) { return FetchRun(options).run(); }

}  // namespace milena::bench
