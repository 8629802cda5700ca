// Rng: the only source of randomness. A seeded one makes a run repeatable.
#pragma once

#include <cstdint>

namespace milena {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual std::uint64_t next() = 0;
  // Uniform in [0, bound); bound > 0. The bias of the modulo is below 2^-32 for bounds below 2^32.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
};

// The kernel's generator: for ids that must not be guessed. Safe to call from any thread.
class SystemRng final : public Rng {
 public:
  std::uint64_t next() override;
};

// splitmix64: the same seed gives the same sequence on every machine.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

}  // namespace milena
