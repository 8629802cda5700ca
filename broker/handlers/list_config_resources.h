// ListConfigResources, versions 0-1: what there is that can have a configuration (KIP-1142): topics, live
// brokers, and the groups and client metrics subscriptions that have one.
//
// - Version 0 knows client metrics only, and asks for nothing else.
// - No kind asked for means all; a kind that does not exist fails with UNSUPPORTED_VERSION.
// - Broker loggers have no configuration here: their list is empty, where Kafka lists the brokers again.
#pragma once

#include "broker/handlers/call.h"
#include "controller/image/metadata_image.h"
#include "protocol/list_config_resources.gen.h"
#include "protocol/types.h"

namespace milena::broker {

// Views point into the image.
protocol::ListConfigResourcesResponse list_config_resources(
    Call& call, const protocol::ListConfigResourcesRequest& request, const controller::MetadataImage& image,
    protocol::BrokerId self);

}  // namespace milena::broker
