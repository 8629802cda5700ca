// Nanoseconds on a clock that never goes back: what measurements count in.
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

}  // namespace milena::bench
