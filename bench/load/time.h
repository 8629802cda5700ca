// The time: nanoseconds on a clock that never goes back, which measurements count in, and that of records.
#pragma once

#include <time.h>

#include <cstdint>

namespace milena::bench {

inline constexpr std::int64_t kSecond = 1'000'000'000;

inline std::int64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

// Milliseconds since the Unix epoch.
inline std::int64_t wall_ms() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

inline void sleep_for(double seconds) {
  const auto whole = static_cast<time_t>(seconds);
  const timespec pause{.tv_sec = whole,
                       .tv_nsec = static_cast<long>((seconds - static_cast<double>(whole)) * 1e9)};
  nanosleep(&pause, nullptr);
}

}  // namespace milena::bench
