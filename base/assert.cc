#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace milena {

void assertion_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "FATAL %s:%d: broken invariant: %s (%s)\n", file, line, why, condition);
  std::abort();
}

}  // namespace milena
