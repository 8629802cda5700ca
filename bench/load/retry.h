// Asking again until a broker is ready for what is to be measured.
#pragma once

#include <time.h>

#include "bench/load/fail.h"
#include "bench/load/time.h"

namespace milena::bench {

// Calls `attempt` every 5 ms until it returns true. After a minute the run ends, saying `what` is the matter.
template <class Attempt>
void retry_for_a_minute(const char* what, Attempt&& attempt) {
  const std::int64_t deadline = now_ns() + 60 * kSecond;
  while (!attempt()) {
    if (now_ns() > deadline) fail_run("{}", what);
    const timespec pause{.tv_sec = 0, .tv_nsec = 5'000'000};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace milena::bench
