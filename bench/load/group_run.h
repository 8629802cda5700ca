// `load group`: what a rebalance of a large group takes, in the classic protocol or in that of KIP-848.
#pragma once

#include "bench/load/options.h"
#include "bench/load/report.h"

namespace milena::bench {

// The topic has a partition for each member.
Report run_group(const Options& options);

}  // namespace milena::bench
