// `load fetch`: reads partitions over some connections, again and again from the beginning, or at the tail.
#pragma once

#include "bench/load/options.h"
#include "bench/load/report.h"

namespace milena::bench {

Report run_fetch(const Options& options);

}  // namespace milena::bench
