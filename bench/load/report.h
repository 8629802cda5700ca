// Report: what a run measured, as one JSON object. Figures that were not measured are null.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/load/histogram.h"
#include "bench/load/meter.h"

namespace milena::bench {

// What a stretch of work cost: begin() before it, end() after it.
class Stretch {
 public:
  explicit Stretch(const Meter& meter) : meter_(meter) {}

  void begin();
  void end();

  double seconds() const { return seconds_; }
  std::optional<double> broker_cpu_s() const { return broker_cpu_s_; }
  double client_cpu_s() const { return client_cpu_s_; }

 private:
  const Meter& meter_;
  std::int64_t began_ns_ = 0;
  double seconds_ = 0;
  std::optional<double> broker_cpu_s_;
  double client_cpu_s_ = 0;
};

class Report {
 public:
  explicit Report(std::string_view mode);

  void add(std::string_view key, std::int64_t value);
  void add(std::string_view key, std::optional<double> value);
  // Percentiles in microseconds of nanoseconds.
  void add_latency(std::string_view key, const Histogram& histogram);

  struct Work {
    std::uint64_t requests = 0;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::uint64_t errors = 0;
  };
  // The keys that every mode has.
  void add_work(const Work& work, const Stretch& stretch, const Meter& meter);

  std::uint64_t errors() const { return errors_; }
  std::string json() const;

 private:
  std::uint64_t errors_ = 0;
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace milena::bench
