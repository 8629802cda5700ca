// load MODE --broker HOST:PORT ...: the load generator. bench/README.md describes modes and output.
#include <fmt/format.h>

#include <utility>

#include "bench/load/fetch_run.h"
#include "bench/load/group_run.h"
#include "bench/load/idle_run.h"
#include "bench/load/latency_run.h"
#include "bench/load/metadata_run.h"
#include "bench/load/options.h"
#include "bench/load/partitions_run.h"
#include "bench/load/produce_run.h"
#include "bench/load/sockets.h"
#include "bench/load/transaction_run.h"

namespace {

milena::bench::Report run(const milena::bench::Options& options) {
  using Mode = milena::bench::Options::Mode;
  switch (options.mode) {
    case Mode::kProduce:
      return options.transactional_ms > 0 ? milena::bench::run_transactions(options)
                                          : milena::bench::run_produce(options);
    case Mode::kFetch:
      return milena::bench::run_fetch(options);
    case Mode::kLatency:
      return milena::bench::run_latency(options);
    case Mode::kIdle:
      return milena::bench::run_idle(options);
    case Mode::kMetadata:
      return milena::bench::run_metadata(options);
    case Mode::kPartitions:
      return milena::bench::run_partitions(options);
    case Mode::kGroup:
      return milena::bench::run_group(options);
  }
  std::unreachable();
}

}  // namespace

int main(int argc, char** argv) {
  const milena::bench::Options options = milena::bench::parse_options(argc, argv);
  milena::bench::allow_many_sockets();
  const milena::bench::Report report = run(options);
  fmt::print("{}\n", report.json());
  return report.errors() == 0 ? 0 : 1;
}
