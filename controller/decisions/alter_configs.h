// IncrementalAlterConfigs and AlterConfigs: changes to the stored configuration of topics, brokers and other
// resources.
//
// Resources succeed or fail one by one. Broker loggers are not stored and never come here.
#pragma once

#include <functional>

#include "controller/decisions/decision.h"
#include "protocol/alter_configs.gen.h"
#include "protocol/incremental_alter_configs.gen.h"

namespace milena::controller {

// kNone, or why the principal may not alter the resource. Empty: everything is allowed.
using AlterConfigsAccess = std::function<ErrorCode(ConfigResourceView)>;

// Values are set, deleted, appended to and subtracted from (KIP-339).
Outcome<protocol::IncrementalAlterConfigsResponse> incremental_alter_configs(
    const DecisionContext& context, const protocol::IncrementalAlterConfigsRequest& request,
    const AlterConfigsAccess& access);

// What the request does not name is deleted.
Outcome<protocol::AlterConfigsResponse> alter_configs(const DecisionContext& context,
                                                      const protocol::AlterConfigsRequest& request,
                                                      const AlterConfigsAccess& access);

}  // namespace milena::controller
