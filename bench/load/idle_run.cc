#include "bench/load/idle_run.h"

#include <memory>
#include <vector>

#include "bench/load/request_pipe.h"
#include "bench/load/time.h"
#include "bench/load/wire_client.h"

namespace milena::bench {
namespace {

// After the last request a broker may still put things away.
constexpr double kSettleSeconds = 1;

}  // namespace

Report run_idle(const Options& options) {
  const Meter meter(options.pid);
  const auto before = meter.resident_kb();
  Stretch opening(meter);
  opening.begin();
  std::vector<std::unique_ptr<RequestPipe>> connections;
  for (int i = 0; i < options.connections; ++i) {
    connections.push_back(std::make_unique<RequestPipe>(options.broker, 1, false));
    connections.back()->await_served();
  }
  opening.end();
  sleep_for(kSettleSeconds);
  Stretch idle(meter);
  idle.begin();
  sleep_for(options.extent.seconds);
  idle.end();

  Report report("idle");
  report.add_work({.requests = static_cast<std::uint64_t>(options.connections)}, idle, meter);
  report.add("connections", std::int64_t{options.connections});
  report.add("open_s", std::optional(opening.seconds()));
  report.add("open_cpu_s", opening.broker_cpu_s());
  const auto after = meter.resident_kb();
  if (before && after) {
    report.add("broker_rss_before_kb", *before);
    report.add("rss_bytes_per_connection",
               std::optional(static_cast<double>(*after - *before) * 1024 / options.connections));
    report.add("idle_cpu_percent", std::optional(100 * *idle.broker_cpu_s() / idle.seconds()));
  }
  return report;
}

}  // namespace milena::bench
