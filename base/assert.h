// MILENA_ASSERT: a broken invariant aborts, in release builds too. Never used on anything a peer controls.
#pragma once

namespace milena {
[[noreturn]] void assertion_failed(const char* condition, const char* why, const char* file, int line);
}  // namespace milena

#define MILENA_ASSERT(condition, why)                                  \
  do {                                                                 \
    if (!(condition)) [[unlikely]]                                     \
      ::milena::assertion_failed(#condition, why, __FILE__, __LINE__); \
  } while (false)
