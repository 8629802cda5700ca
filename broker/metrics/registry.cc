#include "broker/metrics/registry.h"

namespace milena::broker {

std::string MetricsRegistry::scrape() {
  Exposition out;
  for (const auto& source : sources_) source->write(out);
  return std::move(out).finish();
}

}  // namespace milena::broker
