// NodeMetrics: connections, requests under way, event loops, worker pool and flushes.
//
// Reads what its sources publish for any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "base/async/loop.h"
#include "base/async/worker_pool.h"
#include "broker/metrics/durations.h"
#include "broker/metrics/registry.h"
#include "broker/net/server.h"

namespace milena::broker {

class NodeMetrics final : public MetricSource {
 public:
  // All outlive it. The loops run as long as there are scrapes.
  struct Sources {
    const Server& server;
    std::vector<Loop*> loops;
    const WorkerPool& workers;
    const SharedDurations& flush_times;
    std::function<std::size_t()> offline_log_dirs;
  };
  explicit NodeMetrics(Sources sources);

  void write(Exposition& out) override;

 private:
  struct Sample {
    std::chrono::nanoseconds at{};
    std::chrono::nanoseconds cpu{};  // of all loops
  };
  Sample sample() const;
  double idle_share();
  void write_server(Exposition& out);
  void write_loops(Exposition& out);

  const Sources sources_;
  Sample earlier_;  // from here on the idle share counts; at least a second before `latest_`, after the first
  Sample latest_;
};

}  // namespace milena::broker
