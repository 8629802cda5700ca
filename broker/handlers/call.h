// Call: a request as its handler sees it: the header, who asks, when, and the arena for the answer. No
// services in here: a handler gets those in its constructor.
//
// Lives on the stack of the dispatcher for as long as the handler runs; views point into the request's frame.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/clock.h"
#include "broker/net/request.h"

namespace milena::broker {

struct HostPort {
  std::string_view host;  // of the configuration or of the connection: outlives the request
  std::int32_t port = 0;
};

struct Call {
  Request& request;
  Arena& arena;
  std::int16_t version = 0;
  std::string_view client_id;
  std::string_view listener;  // the name of the listener that accepted the connection
  // What this node calls itself on this connection: advertised.listeners, or the address the client reached.
  HostPort advertised;
  Instant now{};
  std::int64_t wall_ms = 0;
};

}  // namespace milena::broker
