// BrokerSessions: which brokers the active controller has heard from, and when.
//
// Not part of the metadata: a new active controller starts with a session for every broker that is not
// fenced, and learns the rest from heartbeats. Owned by the controller; not thread-safe. Times are monotonic
// milliseconds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "controller/image/metadata_image.h"

namespace milena::controller {

class BrokerSessions {
 public:
  explicit BrokerSessions(std::int64_t timeout_ms) : timeout_ms_(timeout_ms) {}

  // Starts over. `self` gets no session: an earlier incarnation of the broker in this very process cannot be
  // alive, so that a restart after a crash need not wait for its session to end.
  void activate(const MetadataImage& image, BrokerId self, std::int64_t now_ms);

  bool is_alive(BrokerId broker, std::int64_t epoch, std::int64_t now_ms) const;

  // A heartbeat: the broker has applied the metadata log up to `metadata_offset`.
  void contact(BrokerId broker, std::int64_t epoch, std::int64_t now_ms, Offset metadata_offset);
  void forget(BrokerId broker) { sessions_.erase(broker); }

  // A broker that is not fenced although its session has ended; the lowest id first.
  std::optional<BrokerId> expired(const MetadataImage& image, std::int64_t now_ms) const;

  // Where the log ended when the broker entered controlled shutdown; empty unless it did so under this
  // controller.
  std::optional<Offset> shutdown_offset(BrokerId broker) const;
  void set_shutdown_offset(BrokerId broker, Offset offset);
  // Up to where every active broker has applied the log; the largest offset if there is none.
  Offset lowest_active_offset(const MetadataImage& image) const;

 private:
  struct Session {
    std::int64_t epoch = -1;
    std::int64_t last_contact_ms = 0;
    Offset metadata_offset = -1;
    std::optional<Offset> shutdown_offset;
  };

  std::int64_t timeout_ms_;
  std::map<BrokerId, Session> sessions_;
};

}  // namespace milena::controller
