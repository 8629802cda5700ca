// How many random schedules the model tests play. MILENA_MODEL_SEEDS=10000 plays as many; MILENA_MODEL_SEED=N
// only that one, which is how a failure is looked into.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

namespace milena::coordinator::testing_support {

// NOLINTBEGIN(concurrency-mt-unsafe): nobody sets the environment
template <class F>
void for_each_seed(std::uint64_t usual_count, F&& play) {
  if (const char* one = std::getenv("MILENA_MODEL_SEED")) {
    play(std::stoull(one));
    return;
  }
  const char* asked = std::getenv("MILENA_MODEL_SEEDS");
  const std::uint64_t count = asked != nullptr ? std::stoull(asked) : usual_count;
  for (std::uint64_t seed = 1; seed <= count; ++seed) play(seed);
}
// NOLINTEND(concurrency-mt-unsafe)

}  // namespace milena::coordinator::testing_support
