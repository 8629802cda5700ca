// AdvertisedAddress: what this node tells a client to connect to.
//
// Host and port of advertised.listeners where they are given; otherwise those that the client has reached,
// which is right on a laptop, in a container network and behind a published port with the same number.
// Immutable.
#pragma once

#include <algorithm>
#include <vector>

#include "broker/config/listeners.h"
#include "broker/handlers/call.h"
#include "broker/net/connection_info.h"

namespace milena::broker {

class AdvertisedAddress {
 public:
  explicit AdvertisedAddress(std::vector<ListenerConfig> listeners) : listeners_(std::move(listeners)) {}

  // Views into this object or into `connection`.
  HostPort for_connection(const ConnectionInfo& connection) const {
    HostPort told{connection.local.host, connection.local.port};
    const auto listener = std::ranges::find(listeners_, connection.listener, &ListenerConfig::name);
    if (listener == listeners_.end()) return told;
    if (listener->advertised_host) told.host = *listener->advertised_host;
    if (listener->advertised_port != 0) told.port = listener->advertised_port;
    return told;
  }

 private:
  const std::vector<ListenerConfig> listeners_;
};

}  // namespace milena::broker
