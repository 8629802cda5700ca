// How the null broker ends when the machine refuses something.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace milena::bench {

[[noreturn]] inline void stop_with_errno(const char* what) {
  std::perror(what);
  std::exit(1);
}

}  // namespace milena::bench
