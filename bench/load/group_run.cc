#include "bench/load/group_run.h"

#include <unistd.h>

#include <algorithm>
#include <vector>

#include "bench/load/classic_group.h"
#include "bench/load/consumer_group.h"
#include "bench/load/coordinators.h"
#include "bench/load/time.h"
#include "bench/load/topics.h"

namespace milena::bench {
namespace {

// Each of a name of its own, so that a run finds no group of one before it.
std::string group_name(const Options& options, int round) {
  return fmt::format("{}-{}-{}", options.consumer_protocol ? "consumer" : "classic", ::getpid(), round);
}

std::vector<std::int64_t> rebalance_classic(const Options& options, WireClient& client) {
  const std::string name = group_name(options, 0);
  await_group(client, name);
  ClassicGroup group(options, name);
  std::vector<std::int64_t> times;
  for (int round = 0; round < options.rounds; ++round) times.push_back(group.rebalance());
  return times;
}

std::vector<std::int64_t> form_consumer(const Options& options, WireClient& client) {
  ConsumerGroup group(options);
  std::vector<std::int64_t> times;
  for (int round = 0; round < options.rounds; ++round) {
    const std::string name = group_name(options, round);
    await_group(client, name);
    times.push_back(group.form(name));
    group.leave();
  }
  return times;
}

}  // namespace

Report run_group(const Options& options) {
  WireClient client(options.broker);
  prepare_topic(client, options.topic, options.connections, options.create);
  const Meter meter(options.pid);
  Stretch stretch(meter);
  stretch.begin();
  std::vector<std::int64_t> times =
      options.consumer_protocol ? form_consumer(options, client) : rebalance_classic(options, client);
  stretch.end();
  std::ranges::sort(times);
  const auto ms = [](std::int64_t ns) { return std::optional(static_cast<double>(ns) / 1e6); };

  Report report("group");
  report.add_work({}, stretch, meter);
  report.add("members", std::int64_t{options.connections});
  report.add("stable_ms", ms(times[times.size() / 2]));
  report.add("stable_ms_min", ms(times.front()));
  report.add("stable_ms_max", ms(times.back()));
  return report;
}

}  // namespace milena::bench
