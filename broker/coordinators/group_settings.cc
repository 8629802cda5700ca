#include "broker/coordinators/group_settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>

#include "coordinator/group/assignor.h"

namespace milena::broker {
namespace {

using coordinator::GroupConfig;
using coordinator::GroupOverrides;
using coordinator::MigrationPolicy;

std::int32_t int_of(const ConfigValues& settings, std::string_view key) {
  return static_cast<std::int32_t>(settings.number(key));
}

MigrationPolicy migration_policy(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  if (text == "DISABLED") return MigrationPolicy::kDisabled;
  if (text == "DOWNGRADE") return MigrationPolicy::kDowngrade;
  if (text == "UPGRADE") return MigrationPolicy::kUpgrade;
  return MigrationPolicy::kBidirectional;
}

// The first one, by its name or its Java class; the name lives as long as the program.
std::string_view default_assignor(const ConfigValues& settings) {
  const std::string first = settings.list("group.consumer.assignors").front();
  return coordinator::find_assignor(first.ends_with("range") || first.ends_with("RangeAssignor") ? "range"
                                                                                                 : "uniform")
      ->name();
}

std::optional<std::int32_t> number_in(const controller::ConfigMap& config, std::string_view key) {
  const auto at = config.find(key);
  if (at == config.end()) return std::nullopt;
  std::int32_t value = 0;
  const char* const end = at->second.data() + at->second.size();
  const auto parsed = std::from_chars(at->second.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

GroupOverrides overrides_of(const MetadataSource& metadata, std::string_view group_id) {
  const auto image = metadata.image();
  const auto* config = image->config(controller::ConfigResourceType::kGroup, group_id);
  if (config == nullptr) return {};
  return {.consumer_session_timeout_ms = number_in(*config, "consumer.session.timeout.ms"),
          .consumer_heartbeat_interval_ms = number_in(*config, "consumer.heartbeat.interval.ms"),
          .consumer_assignment_interval_ms = number_in(*config, "consumer.assignment.interval.ms")};
}

}  // namespace

std::shared_ptr<const GroupConfig> group_config(const ConfigValues& settings,
                                                const MetadataSource& metadata) {
  constexpr std::int64_t kMsPerMinute = 60'000;
  auto config = std::make_shared<GroupConfig>();
  config->group_min_session_timeout_ms = int_of(settings, "group.min.session.timeout.ms");
  config->group_max_session_timeout_ms = int_of(settings, "group.max.session.timeout.ms");
  config->group_initial_rebalance_delay_ms = int_of(settings, "group.initial.rebalance.delay.ms");
  config->group_max_size = int_of(settings, "group.max.size");
  config->offset_metadata_max_bytes = int_of(settings, "offset.metadata.max.bytes");
  config->offsets_retention_ms = settings.number("offsets.retention.minutes") * kMsPerMinute;
  config->offsets_retention_check_interval_ms = settings.number("offsets.retention.check.interval.ms");
  config->consumer_session_timeout_ms = int_of(settings, "group.consumer.session.timeout.ms");
  config->consumer_heartbeat_interval_ms = int_of(settings, "group.consumer.heartbeat.interval.ms");
  config->consumer_max_size = int_of(settings, "group.consumer.max.size");
  config->consumer_assignment_interval_ms = int_of(settings, "group.consumer.assignment.interval.ms");
  config->consumer_regex_refresh_interval_ms = int_of(settings, "group.consumer.regex.refresh.interval.ms");
  config->consumer_migration_policy = migration_policy(settings.text("group.consumer.migration.policy"));
  config->consumer_default_assignor = default_assignor(settings);
  config->max_record_bytes = int_of(settings, "message.max.bytes");
  config->overrides = [&metadata](std::string_view group_id) { return overrides_of(metadata, group_id); };
  return config;
}

}  // namespace milena::broker
