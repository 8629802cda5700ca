// What the group coordinator takes from the configuration of the node and of groups.
#pragma once

#include <memory>

#include "broker/config/config_values.h"
#include "broker/metadata/metadata_source.h"
#include "coordinator/group/config.h"

namespace milena::broker {

// `metadata` holds what is configured for single groups, and outlives the result.
std::shared_ptr<const coordinator::GroupConfig> group_config(const ConfigValues& settings,
                                                             const MetadataSource& metadata);

}  // namespace milena::broker
