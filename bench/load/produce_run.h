// `load produce`: appends batches over some connections, as fast as it goes or at a rate.
#pragma once

#include "bench/load/options.h"
#include "bench/load/report.h"

namespace milena::bench {

Report run_produce(const Options& options);

}  // namespace milena::bench
