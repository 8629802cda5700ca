// ConnectionInfo: who is at the other end of a connection, for handlers, logs and metrics.
//
// Owned by the connection, touched only on its loop; lives as long as any request of the connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace milena::broker {

struct Address {
  std::string host;  // numeric; an IPv4 address that came in over IPv6 is written as IPv4
  std::uint16_t port = 0;

  // "host:port", "[host]:port" for IPv6
  std::string to_string() const;
  bool operator==(const Address&) const = default;
};

struct ConnectionInfo {
  std::uint64_t id = 0;  // never used twice by one broker
  Address peer;
  Address local;  // what the peer connected to
  std::string listener;
  std::string principal = "User:ANONYMOUS";
  // From ApiVersions v3+ (KIP-511); empty until then.
  std::string client_software_name;
  std::string client_software_version;
  std::shared_ptr<const void> client_software_count;  // counts the connection among those of this software
};

}  // namespace milena::broker
