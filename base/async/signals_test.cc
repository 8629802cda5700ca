#include "base/async/signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace milena {
namespace {

TEST(Signals, TheFirstStopSignalCallsBackAndTheSecondEndsTheProcess) {
  const SystemClock clock;
  EXPECT_EXIT(
      {
        Loop loop(clock, "test");
        StopSignals stop(loop, [](int signal) {
          if (signal != SIGTERM) std::_Exit(1);
          std::raise(SIGTERM);
          std::_Exit(2);
        });
        std::raise(SIGTERM);
        loop.run();
      },
      testing::KilledBySignal(SIGTERM), "");
}

TEST(Signals, ABrokenPipeIsAnErrorCodeOnceIgnored) {
  EXPECT_EXIT(
      {
        ignore_fatal_io_signals();
        std::raise(SIGPIPE);
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace milena
