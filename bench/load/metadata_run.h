// `load metadata`: asks for all topics, over and over.
#pragma once

#include "bench/load/options.h"
#include "bench/load/report.h"

namespace milena::bench {

Report run_metadata(const Options& options);

}  // namespace milena::bench
