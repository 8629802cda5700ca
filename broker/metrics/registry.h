// MetricsRegistry: the metrics of one broker: who has something to tell, and how it becomes the text of a
// scrape.
//
// Owned by Broker; no process-wide state. Sources are added before the first scrape and outlive the last one;
// scrapes come from one thread at a time, which may be busy for some time, so it is none that serves clients.
// Always: a scrape takes no partition's mutex.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/metrics/exposition.h"

namespace milena::broker {

class MetricSource {
 public:
  virtual ~MetricSource() = default;
  // Writes all metrics of the source.
  virtual void write(Exposition& out) = 0;
};

class MetricsRegistry {
 public:
  void add(std::unique_ptr<MetricSource> source) { sources_.push_back(std::move(source)); }
  // The text of a scrape.
  std::string scrape();

 private:
  std::vector<std::unique_ptr<MetricSource>> sources_;
};

}  // namespace milena::broker
