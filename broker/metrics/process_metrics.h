// ProcessMetrics: what Linux says of this process, under the names that every Prometheus client library uses.
//
// Reads a few files of /proc at each scrape. What cannot be read (another system, a disk in memory) is left
// out. Brokers in one process tell the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fs.h"
#include "broker/metrics/registry.h"

namespace milena::broker {

class ProcessMetrics final : public MetricSource {
 public:
  // Both outlive it.
  ProcessMetrics(Fs& fs, const Clock& clock) : fs_(fs), clock_(clock) {}

  void write(Exposition& out) override;

 private:
  void write_stat(Exposition& out);
  void write_io(Exposition& out);
  void write_descriptors(Exposition& out);
  std::optional<std::string> text_of(const std::string& path);

  Fs& fs_;
  const Clock& clock_;
  std::optional<double> started_at_;  // in seconds since 1970, as it was computed first
};

}  // namespace milena::broker
