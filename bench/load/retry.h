// Asking again until a broker is ready for what is to be measured.
#pragma once

#include <time.h>

#include <algorithm>

#include "bench/load/fail.h"
#include "bench/load/time.h"

namespace milena::bench {

// Calls `attempt` until it returns true, first every 5 ms and then ever more seldom, so that asking does not
// keep a broker from its work. After five minutes the run ends, saying `what` is the matter.
template <class Attempt>
void retry_until_ready(const char* what, Attempt&& attempt) {
  constexpr long kLongestPauseNs = 200'000'000;
  const std::int64_t deadline = now_ns() + 300 * kSecond;
  for (long pause_ns = 5'000'000; !attempt(); pause_ns = std::min(pause_ns * 3 / 2, kLongestPauseNs)) {
    if (now_ns() > deadline) fail_run("{}", what);
    const timespec pause{.tv_sec = 0, .tv_nsec = pause_ns};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace milena::bench
