// AdvertisedAddress: what this node tells a client to connect to.
//
// From advertised.listeners where that names the listener; otherwise the address that the client has reached,
// which is right on a laptop, in a container network and behind a published port with the same number.
#pragma once

#include <map>
#include <string>

#include "broker/handlers/call.h"
#include "broker/net/connection_info.h"

namespace milena::broker {

class AdvertisedAddress {
 public:
  // By listener name.
  explicit AdvertisedAddress(std::map<std::string, Address, std::less<>> configured)
      : configured_(std::move(configured)) {}

  // Views into this object or into `connection`.
  HostPort for_connection(const ConnectionInfo& connection) const {
    const auto found = configured_.find(connection.listener);
    const Address& address = found == configured_.end() ? connection.local : found->second;
    return {address.host, address.port};
  }

 private:
  const std::map<std::string, Address, std::less<>> configured_;
};

}  // namespace milena::broker
