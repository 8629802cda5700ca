#include "controller/decisions/features.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

namespace milena::controller {
namespace {

using Request = protocol::UpdateFeaturesRequest;
using Response = protocol::UpdateFeaturesResponse;

enum class UpgradeType : std::int8_t { kUnknown = 0, kUpgrade = 1, kSafeDowngrade = 2, kUnsafeDowngrade = 3 };

// Levels of metadata.version that brought records or fields which older software cannot read.
constexpr FeatureLevel kChangedMetadata[] = {7, 8, 11, 13, 14, 15, 17, 23, 30};

struct Dependency {
  std::string_view feature;
  FeatureLevel from_level;
  std::string_view needs;
  FeatureLevel needed_level;
};
constexpr Dependency kDependencies[] = {
    {kElrFeature, 1, kMetadataVersion, kMetadataVersion40Iv1},
};

std::string range_text(const FeatureRange& range) {
  return range.min == range.max ? fmt::format("{}", range.min) : fmt::format("{}-{}", range.min, range.max);
}

class FeatureUpdater {
 public:
  FeatureUpdater(const DecisionContext& context, const Request& request, FeatureLevel kraft_version)
      : context_(context), kraft_version_(kraft_version), proposed_(context.image.features) {
    for (const auto& update : request.feature_updates) {
      proposed_.insert_or_assign(std::string(update.feature), update.max_version_level);
    }
  }

  // `type` is only in requests from version 1 on; before, there was a flag.
  Decided<void> update(std::string_view name, FeatureLevel level, UpgradeType type) {
    if (type < UpgradeType::kUpgrade || type > UpgradeType::kUnsafeDowngrade) {
      return invalid(name, level, "The controller does not support the given upgrade type.");
    }
    if (level < 0) return invalid(name, level, "A feature version cannot be less than 0.");
    MILENA_CHECK(check_supported(name, level));
    const FeatureLevel current = name == kKRaftVersion ? kraft_version_ : context_.image.feature(name);
    if (level < current && type == UpgradeType::kUpgrade) {
      return invalid(
          name, level,
          "Can't downgrade the version of this feature without setting the upgrade type to either safe or "
          "unsafe downgrade.");
    }
    if (level > current && type != UpgradeType::kUpgrade) {
      return invalid(name, level, "Can't downgrade to a newer version.");
    }
    if (name == kKRaftVersion) {
      if (level == current) return {};
      return invalid(name, level, "Can't change the version of this feature.");
    }
    if (name == kMetadataVersion) {
      MILENA_CHECK(check_metadata_downgrade(current, level));
    } else {
      MILENA_CHECK(check_dependencies(name, level));
    }
    records_.push_back(
        {.body = protocol::FeatureLevelRecord{.name = context_.arena.text(name), .feature_level = level}});
    return {};
  }

  std::vector<MetadataRecord> take_records() {
    std::vector<MetadataRecord> all;
    if (const auto elr = proposed_.find(kElrFeature);
        elr != proposed_.end() && elr->second > 0 && !elr_enabled(context_.image)) {
      make_min_isr_uniform(all);
    }
    all.insert(all.end(), records_.begin(), records_.end());
    return all;
  }

 private:
  Decided<void> check_supported(std::string_view name, FeatureLevel level) {
    const auto check = [&](const std::string& what, const FeatureRanges& ranges) -> Decided<void> {
      const auto range = ranges.find(name);
      if (level == 0 && range == ranges.end()) return {};
      if (range == ranges.end()) return invalid(name, level, what + " does not support this feature.");
      if (range->second.contains(level)) return {};
      return invalid(name, level, what + " only supports versions " + range_text(range->second));
    };
    MILENA_CHECK(check(fmt::format("Local controller {}", context_.settings.node_id.value),
                       context_.settings.supported_features));
    for (const auto& [id, broker] : context_.image.brokers) {
      MILENA_CHECK(check(fmt::format("Broker {}", id.value), broker->features));
    }
    for (const auto& [id, controller] : context_.image.controllers) {
      if (id == context_.settings.node_id) continue;
      MILENA_CHECK(check(fmt::format("Controller {}", id.value), controller->features));
    }
    return {};
  }

  static Decided<void> check_metadata_downgrade(FeatureLevel from, FeatureLevel to) {
    const bool loses = std::ranges::any_of(kChangedMetadata,
                                           [&](FeatureLevel level) { return level > to && level <= from; });
    if (to >= from || !loses) return {};
    return refuse(
        ErrorCode::kInvalidUpdateVersion,
        fmt::format("Unsupported metadata.version downgrade from {} to {}. Refusing to perform the requested "
                    "downgrade because it might delete metadata information.",
                    from, to));
  }

  Decided<void> check_dependencies(std::string_view name, FeatureLevel level) const {
    for (const Dependency& dependency : kDependencies) {
      if (dependency.feature != name || level < dependency.from_level) continue;
      const auto needed = proposed_.find(dependency.needs);
      if (needed != proposed_.end() && needed->second >= dependency.needed_level) continue;
      return invalid(name, level,
                     fmt::format("{} could not be set to {} because it depends on {} level {}", name, level,
                                 dependency.needs, dependency.needed_level));
    }
    return {};
  }

  // Eligible leader replicas need one min.insync.replicas for the cluster: brokers must not differ (KIP-966).
  void make_min_isr_uniform(std::vector<MetadataRecord>& records) {
    const auto set = [&](std::string_view broker, std::optional<std::string_view> value) {
      records.push_back({.body = protocol::ConfigRecord{
                             .resource_type = static_cast<std::int8_t>(ConfigResourceType::kBroker),
                             .resource_name = broker,
                             .name = kMinInsyncReplicas,
                             .value = value}});
    };
    const ConfigMap* cluster = context_.image.config(ConfigResourceType::kBroker, "");
    if (cluster == nullptr || !cluster->contains(kMinInsyncReplicas)) {
      const EffectiveConfig now = effective_topic_config(*find_topic_config(kMinInsyncReplicas),
                                                         {.file = &context_.settings.static_config});
      set("", context_.arena.text(now.value.value_or("1")));
    }
    for (const auto& [resource, configs] : context_.image.configs) {
      if (resource.type == ConfigResourceType::kBroker && !resource.name.empty() &&
          configs->contains(kMinInsyncReplicas)) {
        set(context_.arena.text(resource.name), std::nullopt);
      }
    }
  }

  static std::unexpected<ApiError> invalid(std::string_view name, FeatureLevel level, std::string_view why) {
    return refuse(ErrorCode::kInvalidUpdateVersion,
                  fmt::format("Invalid update version {} for feature {}. {}", level, name, why));
  }

  const DecisionContext& context_;
  FeatureLevel kraft_version_;
  FeatureLevels proposed_;
  std::vector<MetadataRecord> records_;
};

UpgradeType upgrade_type(const Request::FeatureUpdateKey& update, int api_version) {
  if (api_version == 0) return update.allow_downgrade ? UpgradeType::kSafeDowngrade : UpgradeType::kUpgrade;
  return static_cast<UpgradeType>(update.upgrade_type);
}

}  // namespace

Outcome<protocol::UpdateFeaturesResponse> update_features(const DecisionContext& context,
                                                          const protocol::UpdateFeaturesRequest& request,
                                                          int api_version, FeatureLevel kraft_version) {
  FeatureUpdater updater(context, request, kraft_version);
  for (const auto& update : request.feature_updates) {
    const auto updated =
        updater.update(update.feature, update.max_version_level, upgrade_type(update, api_version));
    if (updated) continue;
    const std::string message =
        fmt::format("The update failed for all features since the following feature had an error: {}",
                    updated.error().message.value_or(""));
    return {.response = {.error_code = updated.error().code, .error_message = context.arena.text(message)}};
  }
  Outcome<Response> outcome;
  if (!request.validate_only) outcome.records = updater.take_records();
  if (api_version <= 1) {
    outcome.response.results =
        context.arena.array<Response::UpdatableFeatureResult>(request.feature_updates.size());
    for (std::size_t i = 0; i < request.feature_updates.size(); ++i) {
      outcome.response.results[i].feature = request.feature_updates[i].feature;
    }
  }
  return outcome;
}

}  // namespace milena::controller
