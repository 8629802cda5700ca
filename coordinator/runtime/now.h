// Now: the two times a decision needs. The shell reads both once per input; the machines only see this.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace milena::coordinator {

struct Now {
  Instant instant{0};           // for timers; never goes back
  std::int64_t wall_ms = 0;     // since the Unix epoch; for what records remember
  std::int64_t doubted_ms = 0;  // Clock::doubted_ms

  // What expires is compared with this time.
  std::int64_t trusted_ms() const { return wall_ms - doubted_ms; }
};

}  // namespace milena::coordinator
