// One run of the simulator: a world, its clients, and what befalls them, all of it from a seed.
//
// The outcome says whether any claim of a client was contradicted, and a hash of every frame: the same seed
// and the same program give the same hash.
#pragma once

#include <cstdint>
#include <string>

namespace milena::sim {

struct Outcome {
  std::string failure;  // empty: all is well
  std::uint64_t hash = 0;
  std::uint64_t frames = 0, claims = 0, steps = 0;
  std::string events;  // what befell the broker, a line each
  std::string log;     // the broker's
};

Outcome run(std::uint64_t seed);

}  // namespace milena::sim
