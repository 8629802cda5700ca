// `load produce --transactional-ms N`: each connection is a transactional producer that commits every N ms.
#pragma once

#include "bench/load/options.h"
#include "bench/load/report.h"

namespace milena::bench {

Report run_transactions(const Options& options);

}  // namespace milena::bench
