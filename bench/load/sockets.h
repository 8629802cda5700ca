// TCP connections to the broker, and bytes sent and taken whole on them at set-up.
//
// Failures end the run.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace milena::bench {

struct Address {
  std::string host;
  std::string port;
};
// "HOST:PORT"
Address parse_address(const std::string& text);

// A connected socket, non-blocking, without Nagle's delay.
int connect_to(const Address& address);

// Send or take all bytes, waiting as long as it takes.
void send_all(int socket, BytesView bytes);
void receive_all(int socket, MutableBytes into);

// As many descriptors as this process may have.
void allow_many_sockets();

}  // namespace milena::bench
