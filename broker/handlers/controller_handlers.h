// CreateTopics 2-7, DeleteTopics 1-6, CreatePartitions 0-3, ElectLeaders 0-2, IncrementalAlterConfigs 0-1,
// AlterConfigs 0-2, UpdateFeatures 0-2: requests that the controller decides. What they accept and refuse is
// documented there (controller/decisions); here they are handed over as they are.
//
// CreateTopics and DeleteTopics are done when they are answered: partitions exist, leaders are known, and a
// topic that was deleted is gone from Metadata.
#pragma once

#include "broker/handlers/router.h"
#include "broker/metadata/controller_gateway.h"

namespace milena::broker {

// Adds their routes; `controller` outlives the router.
void serve_controller_requests(Router& router, ControllerGateway& controller);

}  // namespace milena::broker
