// milena-sim [--seed N] [--seeds COUNT] [--twice] [--stop] [--verbose]: runs of the simulator, one for each
// seed from N on.
//
// Prints a line for each failure with the seed that repeats it, and a summary. Exit code 1 after a failure,
// or when a seed that is run twice gives two hashes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "sim/run.h"

namespace milena::sim {
namespace {

struct Options {
  std::uint64_t seed = 1, seeds = 1;
  bool twice = false, stop = false, verbose = false;
};

void show(std::uint64_t seed, const Outcome& outcome, bool verbose) {
  if (!outcome.failure.empty()) fmt::print("seed {}: {}\n", seed, outcome.failure);
  if (verbose) fmt::print("{}{}", outcome.events, outcome.log);
}

int run_all(const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t failed = 0, frames = 0, claims = 0;
  for (std::uint64_t seed = options.seed; seed < options.seed + options.seeds; ++seed) {
    const Outcome outcome = sim::run(seed);
    frames += outcome.frames;
    claims += outcome.claims;
    bool is_well = outcome.failure.empty();
    show(seed, outcome, options.verbose || (!is_well && options.seeds == 1));
    if (options.twice) {
      const Outcome again = sim::run(seed);
      if (again.hash != outcome.hash) {
        is_well = false;
        fmt::print("seed {}: hash={:016x} and hash={:016x}: the run does not follow from its seed alone\n",
                   seed, outcome.hash, again.hash);
      }
    }
    if (options.seeds == 1)
      fmt::print("seed {}: {} frames, {} claims, {} steps, hash={:016x}\n", seed, outcome.frames,
                 outcome.claims, outcome.steps, outcome.hash);
    if (!is_well) ++failed;
    if (!is_well && options.stop) break;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print("{} seeds, {} frames, {} claims, {} failed, {:.1f} s\n", options.seeds, frames, claims, failed,
             took.count());
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace milena::sim

int main(int argc, char** argv) {
  milena::sim::Options options;
  CLI::App app("A broker and its clients in a simulated world.", "milena-sim");
  app.add_option("--seed", options.seed, "the first seed");
  app.add_option("--seeds", options.seeds, "how many");
  app.add_flag("--twice", options.twice, "run each twice and compare");
  app.add_flag("--stop", options.stop, "end at the first failure");
  app.add_flag("--verbose", options.verbose, "print what befell the broker, and its log");
  CLI11_PARSE(app, argc, argv);
  return milena::sim::run_all(options);
}
