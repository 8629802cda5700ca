// What a BrokerConfig means for a Broker.
#pragma once

#include "broker/broker.h"
#include "broker/config/broker_config.h"

namespace milena::broker {

BrokerOptions options_from(const BrokerConfig& config);

}  // namespace milena::broker
