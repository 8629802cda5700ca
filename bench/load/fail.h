// How a measurement ends when it cannot go on: a line on stderr and exit code 1. Nothing half-measured is
// ever printed.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace milena::bench {

template <class... Arguments>
[[noreturn]] void fail_run(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::print(stderr, "load: {}\n", fmt::format(format, std::forward<Arguments>(arguments)...));
  std::exit(1);
}

[[noreturn]] inline void fail_run_with_errno(const char* what) {
  fail_run("{}: {}", what, std::strerror(errno));
}

}  // namespace milena::bench
