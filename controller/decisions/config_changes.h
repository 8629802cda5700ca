// What a resource's configuration is to become: checked, and written as records.
//
// Shared by CreateTopics and both forms of AlterConfigs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/decisions/decision.h"

namespace milena::controller {

// Whether a value may be appended to or taken from: its type is LIST.
bool is_list_config(const DecisionContext& context, ConfigResourceType type, std::string_view name);

// The records that carry the edits out, or the reason why they must not be: limits, rules for
// min.insync.replicas under eligible leader replicas (KIP-966), and the checks of the resource's own table on
// the result as a whole. `current` is what the resource has now. Strings of the records are in the arena.
Decided<std::vector<MetadataRecord>> config_records(const DecisionContext& context,
                                                    const ConfigResource& resource, const ConfigMap& current,
                                                    const ConfigEdits& edits);

// Changing min.insync.replicas voids what is known about eligible leader replicas. Appends ClearElr for each
// such ConfigRecord among `records`.
void append_elr_resets(const DecisionContext& context, std::vector<MetadataRecord>& records);

}  // namespace milena::controller
