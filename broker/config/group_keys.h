// The configuration of single groups: the GROUP resource of AlterConfigs and DescribeConfigs (KIP-848,
// KIP-932).
//
// A key that a group does not set has the value of a key of the broker; operators bound what groups may set
// with further keys of the broker, named here. Constant table, any thread.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_def.h"
#include "broker/config/config_values.h"
#include "broker/config/describe.h"

namespace milena::broker {

struct GroupConfigKey : ConfigKey {
  std::string_view broker_key{};   // where the value comes from when the group sets none; may be none
  std::string_view lower_bound{};  // the broker's keys that bound it; may be none
  std::string_view upper_bound{};
};

std::span<const GroupConfigKey> group_config_keys();
const GroupConfigKey* find_group_config(std::string_view name);

// Whether a group may be configured like this: known keys, values of their types and within the broker's
// bounds, heartbeat intervals below session timeouts. The error is Kafka's sentence.
std::expected<void, std::string> check_group_config(const controller::ConfigMap& config,
                                                    const ConfigValues& settings);

// What DescribeConfigs tells about a group: every key, sorted by name. `group`: what it sets, or null.
std::vector<DescribedConfig> describe_group(const controller::ConfigMap* group, const ConfigLayers& broker);

}  // namespace milena::broker
