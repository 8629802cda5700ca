#include "controller/decisions/bootstrap.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "controller/image/image_records.h"

namespace milena::controller {
namespace {

struct DefaultLevel {
  std::string_view feature;
  FeatureLevel level;
};
constexpr DefaultLevel kDefaultLevels[] = {
    {kMetadataVersion, kNewestMetadataVersion},
    {kElrFeature, 1},
    {"group.version", 1},
    {"share.version", 1},
    {"streams.version", 1},
    {"transaction.version", 2},
};

}  // namespace

FeatureLevels default_bootstrap_features(const FeatureRanges& supported) {
  FeatureLevels levels;
  for (const DefaultLevel& start : kDefaultLevels) {
    const auto range = supported.find(start.feature);
    if (range == supported.end()) continue;
    const FeatureLevel level = std::min(start.level, range->second.max);
    if (level > 0) levels.emplace(start.feature, level);
  }
  return levels;
}

std::vector<MetadataRecord> activation_records(const DecisionContext& context,
                                               std::optional<Offset> transaction_start,
                                               const Bootstrap& bootstrap) {
  std::vector<MetadataRecord> records;
  if (transaction_start) {
    records.push_back({.body = protocol::AbortTransactionRecord{.reason = "Controller failover"}});
  }
  if (context.image.metadata_version() != 0) return records;

  const auto version = bootstrap.features.find(kMetadataVersion);
  MILENA_ASSERT(version != bootstrap.features.end(), "a cluster starts with a metadata.version");
  const bool transactional = version->second >= kMetadataVersion36Iv1;
  const auto feature = [&](std::string_view name, FeatureLevel level) {
    records.push_back(
        {.body = protocol::FeatureLevelRecord{.name = context.arena.text(name), .feature_level = level}});
  };
  if (transactional)
    records.push_back({.body = protocol::BeginTransactionRecord{.name = "Bootstrap records"}});
  feature(kMetadataVersion, version->second);
  for (const auto& [name, level] : bootstrap.features) {
    if (name != kMetadataVersion && level > 0) feature(name, level);
  }
  for (const auto& [key, credential] : bootstrap.scram) {
    records.push_back(to_record(key, *credential));
  }
  // Eligible leader replicas need one min.insync.replicas for the cluster (KIP-966).
  if (const auto elr = bootstrap.features.find(kElrFeature);
      elr != bootstrap.features.end() && elr->second > 0) {
    const EffectiveConfig min_isr = effective_topic_config(*find_topic_config(kMinInsyncReplicas),
                                                           {.file = &context.settings.static_config});
    records.push_back({.body = protocol::ConfigRecord{
                           .resource_type = static_cast<std::int8_t>(ConfigResourceType::kBroker),
                           .resource_name = "",
                           .name = kMinInsyncReplicas,
                           .value = context.arena.text(min_isr.value.value_or("1"))}});
  }
  if (transactional) records.push_back({.body = protocol::EndTransactionRecord{}});
  return records;
}

}  // namespace milena::controller
