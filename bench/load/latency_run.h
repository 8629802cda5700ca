// `load latency`: how long a record takes from the moment it is due until it is acknowledged, and until a
// consumer has it.
#pragma once

#include "bench/load/options.h"
#include "bench/load/report.h"

namespace milena::bench {

Report run_latency(const Options& options);

}  // namespace milena::bench
