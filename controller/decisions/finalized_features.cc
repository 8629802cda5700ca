#include "controller/decisions/finalized_features.h"

#include <fmt/core.h>

namespace milena::controller {
namespace {

std::unexpected<std::string> unknown_feature(std::string_view name, FeatureLevel level) {
  return std::unexpected(fmt::format(
      "the cluster uses feature {} at level {}, which this release does not know. Start the release that "
      "turned it on, turn it off there (kafka-features.sh disable --feature {}), or use a newer Milena",
      name, level, name));
}

std::unexpected<std::string> unknown_level(std::string_view name, FeatureLevel level,
                                           const FeatureRange& range) {
  const bool newer = level > range.max;
  const std::string what_to_do =
      newer ? fmt::format(
                  "use a newer Milena, or start the release that wrote it and lower the level there "
                  "(kafka-features.sh downgrade --feature {}={})",
                  name, range.max)
            : fmt::format(
                  "start a release that still supports it and raise the level there "
                  "(kafka-features.sh upgrade --feature {}={})",
                  name, range.min);
  return std::unexpected(
      fmt::format("the cluster uses feature {} at level {}, and this release supports levels {} to {}: {}",
                  name, level, range.min, range.max, what_to_do));
}

}  // namespace

bool only_adds_groups(std::string_view feature) {
  return feature == "share.version" || feature == "streams.version";
}

std::expected<FeatureLevels, std::string> check_finalized(const FeatureLevels& finalized,
                                                          FeatureLevel kraft_version,
                                                          const FeatureRanges& supported) {
  FeatureLevels all = finalized;
  if (kraft_version > 0) all.insert_or_assign(std::string(kKRaftVersion), kraft_version);
  FeatureLevels kept;
  for (const auto& [name, level] : all) {
    if (level == 0) continue;
    const auto range = supported.find(name);
    if (range != supported.end() && range->second.contains(level)) continue;
    if (only_adds_groups(name)) {
      kept.emplace(name, level);
    } else if (range == supported.end()) {
      return unknown_feature(name, level);
    } else {
      return unknown_level(name, level, range->second);
    }
  }
  return kept;
}

}  // namespace milena::controller
