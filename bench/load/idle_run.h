// `load idle`: what connections cost that do nothing.
#pragma once

#include "bench/load/options.h"
#include "bench/load/report.h"

namespace milena::bench {

Report run_idle(const Options& options);

}  // namespace milena::bench
