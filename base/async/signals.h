// Signals of the process, for main() and for nobody else: a broker is an object, a signal is not.
#pragma once

#include <functional>
#include <memory>

#include "base/async/loop.h"

namespace milena {

// Calls `on_stop` on the loop at the first SIGTERM or SIGINT. From then on the signals have their usual
// effect again, so a second one ends the process at once.
class StopSignals {
 public:
  StopSignals(Loop& loop, std::move_only_function<void(int signal)> on_stop);
  ~StopSignals();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A peer that went away, and a file that reached the limit of its size (ulimit -f), must be error codes, not
// the end of the process.
void ignore_fatal_io_signals();

}  // namespace milena
