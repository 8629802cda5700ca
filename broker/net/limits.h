// NetLimits: everything about connections that has a limit. Kafka's keys where Kafka has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"

namespace milena::broker {

// How many connections there may be. May change while a server runs.
struct ConnectionLimits {
  static constexpr std::size_t kNone = 2'147'483'647;
  struct Share {
    std::size_t max = kNone;                // max.connections
    std::size_t creation_rate_max = kNone;  // max.connection.creation.rate, per second
  };

  Share all{.max = 10'000};
  std::map<std::string, Share> by_listener{};             // listeners with limits of their own
  std::size_t per_ip_max = kNone;                         // max.connections.per.ip
  std::map<std::string, std::size_t> per_ip_overrides{};  // max.connections.per.ip.overrides, by address
  // An idle server may take as many new connections at once as the rate allows in this time.
  std::size_t creation_burst_seconds = 10;
};

struct NetLimits {
  std::int32_t frame_bytes_max = 100 * 1024 * 1024;   // socket.request.max.bytes
  std::size_t request_bytes_max = 128 * 1024 * 1024;  // queued.max.request.bytes, over all loops
  std::size_t partial_bytes_max = 24 * 1024 * 1024;   // of unfinished frames, over all loops
  ConnectionLimits connections{};
  Instant idle_max{600'000};  // connections.max.idle.ms
  // A frame that has begun must be there after this long, and a second more for every 64 KiB of it.
  Instant partial_frame_max{30'000};
  // How long requests of a peer that has closed its side may take.
  Instant half_closed_max{10'000};
  // Requests of one connection that are being handled or wait for their turn to be written.
  std::size_t in_flight_max = 64;
  int send_buffer_bytes = -1;     // socket.send.buffer.bytes; -1: the system decides
  int receive_buffer_bytes = -1;  // socket.receive.buffer.bytes
  int backlog = 4096;             // socket.listen.backlog.size
};

}  // namespace milena::broker
