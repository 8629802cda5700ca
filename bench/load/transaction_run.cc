#include "bench/load/transaction_run.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "bench/load/epoll.h"
#include "bench/load/time.h"
#include "bench/load/topics.h"
#include "bench/load/transactional_producer.h"

namespace milena::bench {
namespace {

class TransactionRun {
 public:
  explicit TransactionRun(const Options& options) : options_(options), meter_(options.pid), stretch_(meter_) {
    WireClient client(options.broker);
    prepare_topic(client, options.topic, options.partitions, options.create);
    const auto batch = std::make_shared<const std::vector<std::byte>>(full_batch(options.shape, wall_ms()));
    for (int i = 0; i < options.connections; ++i) {
      producers_.push_back(std::make_unique<TransactionalProducer>(options, client, i, batch, tally_));
      epoll_.add(producers_.back()->socket(), producers_.back().get());
    }
  }

  Report run() {
    if (options_.warmup_bytes > 0) work({.bytes = options_.warmup_bytes});
    tally_ = {};
    stretch_.begin();
    work(options_.extent);
    stretch_.end();
    Report report("produce");
    report.add_work(tally_.work, stretch_, meter_);
    report.add_latency("latency_us", tally_.produce);
    const auto transactions = static_cast<double>(tally_.transactions);
    const auto cpu = stretch_.broker_cpu_s();
    report.add("transactions", static_cast<std::int64_t>(tally_.transactions));
    report.add("transactions_per_s", std::optional(transactions / stretch_.seconds()));
    report.add("cpu_us_per_transaction", cpu ? std::optional(*cpu * 1e6 / transactions) : std::nullopt);
    report.add("retries", static_cast<std::int64_t>(tally_.retries));
    report.add_latency("commit_us", tally_.commit);
    return report;
  }

 private:
  // Runs transactions as long as `extent` lasts, and lets those that are open then commit.
  void work(const Extent& extent) {
    const std::uint64_t bytes =
        extent.bytes > 0 ? tally_.work.bytes + extent.bytes : std::numeric_limits<std::uint64_t>::max();
    const std::int64_t end = extent.bytes > 0
                                 ? std::numeric_limits<std::int64_t>::max()
                                 : now_ns() + static_cast<std::int64_t>(extent.seconds * kSecond);
    const auto may_begin = [&] { return tally_.work.bytes < bytes && now_ns() < end; };
    for (auto& producer : producers_) producer->begin();
    for (std::size_t busy = producers_.size(); busy > 0;) {
      for (const epoll_event& event : epoll_.wait(patience_ns())) {
        static_cast<TransactionalProducer*>(event.data.ptr)->go_on((event.events & EPOLLIN) != 0, now_ns());
      }
      const std::int64_t now = now_ns();
      busy = 0;
      for (auto& producer : producers_) {
        if (const auto wake = producer->wake_ns(); wake && *wake <= now) producer->go_on(false, now);
        if (producer->is_idle() && may_begin()) producer->begin();
        if (!producer->is_idle()) ++busy;
      }
    }
  }

  std::int64_t patience_ns() const {
    const std::int64_t now = now_ns();
    std::int64_t until = now + kSecond;
    for (const auto& producer : producers_) {
      // Past ends have been looked at: only an answer helps now.
      if (const auto wake = producer->wake_ns(); wake && *wake > now) until = std::min(until, *wake);
    }
    return until - now;
  }

  const Options& options_;
  Meter meter_;
  Stretch stretch_;
  Epoll epoll_;
  TransactionalProducer::Tally tally_;
  std::vector<std::unique_ptr<TransactionalProducer>> producers_;
};

}  // namespace

Report run_transactions(const Options& options) { return TransactionRun(options).run(); }

}  // namespace milena::bench
