// GroupConfig: what operators may set about groups. Names, defaults and units are Kafka's; two defaults
// differ, for groups that settle at once on a laptop and in CI, and say so.
//
// Immutable while a machine uses it; the broker replaces the whole on a change (GroupMachine::configure).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace milena::coordinator {

// group.consumer.migration.policy: may a group change protocol while it has members?
enum class MigrationPolicy : std::uint8_t { kDisabled, kDowngrade, kUpgrade, kBidirectional };

// What a GROUP config resource may override for one group.
struct GroupOverrides {
  std::optional<std::int32_t> consumer_session_timeout_ms;
  std::optional<std::int32_t> consumer_heartbeat_interval_ms;
  std::optional<std::int32_t> consumer_assignment_interval_ms;
};

struct GroupConfig {
  // Classic groups.
  std::int32_t group_min_session_timeout_ms = 6'000;
  std::int32_t group_max_session_timeout_ms = 1'800'000;
  std::int32_t group_initial_rebalance_delay_ms = 0;  // Kafka: 3000
  std::int32_t group_max_size = 0x7fffffff;

  // Offsets.
  std::int32_t offset_metadata_max_bytes = 4096;
  std::int64_t offsets_retention_ms = std::int64_t{7} * 24 * 60 * 60 * 1000;  // offsets.retention.minutes
  std::int64_t offsets_retention_check_interval_ms = 600'000;

  // Consumer groups (KIP-848).
  std::int32_t consumer_session_timeout_ms = 45'000;
  std::int32_t consumer_heartbeat_interval_ms = 5'000;
  std::int32_t consumer_max_size = 0x7fffffff;
  std::int32_t consumer_assignment_interval_ms = 0;  // KIP-1263; Kafka: 1000
  std::int32_t consumer_regex_refresh_interval_ms = 600'000;
  MigrationPolicy consumer_migration_policy = MigrationPolicy::kBidirectional;
  std::string_view consumer_default_assignor = "uniform";  // first of group.consumer.assignors

  // No record may be larger: a classic group's metadata is one record.
  std::int32_t max_record_bytes = 1'048'588;

  // The overrides of a group; may be empty.
  std::function<GroupOverrides(std::string_view group_id)> overrides;

  bool upgrades() const {
    return consumer_migration_policy == MigrationPolicy::kUpgrade ||
           consumer_migration_policy == MigrationPolicy::kBidirectional;
  }
  bool downgrades() const {
    return consumer_migration_policy == MigrationPolicy::kDowngrade ||
           consumer_migration_policy == MigrationPolicy::kBidirectional;
  }
};

}  // namespace milena::coordinator
