#include "broker/metrics/durations.h"

#include <algorithm>
#include <numeric>

namespace milena::broker {

std::uint64_t DurationCounts::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

double DurationCounts::quantile(double q) const {
  const auto seconds = [](std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1e6; };
  const double wanted = q * static_cast<double>(count());
  double below = 0;
  for (std::size_t i = 0; i < kDurationBounds.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && below + here >= wanted) {
      const double lower = i == 0 ? 0 : seconds(kDurationBounds[i - 1]);
      const double share = std::clamp((wanted - below) / here, 0.0, 1.0);
      return lower + share * (seconds(kDurationBounds[i]) - lower);
    }
    below += here;
  }
  return below < static_cast<double>(count()) ? seconds(kDurationBounds.back()) : 0;
}

}  // namespace milena::broker
