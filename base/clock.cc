#include "base/clock.h"

namespace milena {

Instant SystemClock::now() const { return std::chrono::duration_cast<Instant>(SystemClock::fine_now()); }

std::chrono::nanoseconds SystemClock::fine_now() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

std::int64_t SystemClock::wall_ms() const {
  using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::system_clock;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace milena
