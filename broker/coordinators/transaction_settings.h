// What the transaction coordinator takes from the configuration of the node and from the cluster's features.
#pragma once

#include <memory>

#include "broker/config/static_config.h"
#include "controller/image/metadata_image.h"
#include "coordinator/transaction/config.h"

namespace milena::broker {

std::shared_ptr<const coordinator::TransactionConfig> transaction_config(
    const StaticConfig& settings, const controller::MetadataImage& image);

}  // namespace milena::broker
