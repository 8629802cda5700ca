// Meter: what the broker and this process have used so far.
#pragma once

#include <cstdint>
#include <optional>

namespace milena::bench {

// Of this process, user and system.
double own_cpu_seconds();

class Meter {
 public:
  // Of the process with this id; without one there is nothing to read.
  explicit Meter(std::optional<int> pid);

  // User and system time of all threads, ended ones included, to the nanosecond.
  std::optional<double> cpu_seconds() const;
  // Resident memory now, exact.
  std::optional<std::int64_t> resident_kb() const;

 private:
  std::optional<int> pid_;
};

}  // namespace milena::bench
