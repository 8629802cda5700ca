// `load partitions`: what many partitions cost: to create, to hold, and to a consumer of all of them.
#pragma once

#include "bench/load/options.h"
#include "bench/load/report.h"

namespace milena::bench {

Report run_partitions(const Options& options);

}  // namespace milena::bench
