#include "controller/decisions/broker_sessions.h"

#include <algorithm>
#include <limits>

namespace milena::controller {

void BrokerSessions::activate(const MetadataImage& image, BrokerId self, std::int64_t now_ms) {
  sessions_.clear();
  for (const auto& [id, broker] : image.brokers) {
    if (!broker->fenced && id != self) contact(id, broker->epoch, now_ms, -1);
  }
}

bool BrokerSessions::is_alive(BrokerId broker, std::int64_t epoch, std::int64_t now_ms) const {
  const auto at = sessions_.find(broker);
  return at != sessions_.end() && at->second.epoch == epoch &&
         now_ms - at->second.last_contact_ms < timeout_ms_;
}

void BrokerSessions::contact(BrokerId broker, std::int64_t epoch, std::int64_t now_ms,
                             Offset metadata_offset) {
  Session& session = sessions_[broker];
  if (session.epoch != epoch) session = {};
  session.epoch = epoch;
  session.last_contact_ms = now_ms;
  session.metadata_offset = metadata_offset;
}

std::optional<BrokerId> BrokerSessions::expired(const MetadataImage& image, std::int64_t now_ms) const {
  for (const auto& [id, broker] : image.brokers) {
    const auto at = sessions_.find(id);
    // A broker without any session is one of this process that has not registered again yet.
    if (broker->fenced || at == sessions_.end()) continue;
    if (!is_alive(id, broker->epoch, now_ms)) return id;
  }
  return std::nullopt;
}

std::optional<Offset> BrokerSessions::shutdown_offset(BrokerId broker) const {
  const auto at = sessions_.find(broker);
  return at != sessions_.end() ? at->second.shutdown_offset : std::nullopt;
}

void BrokerSessions::set_shutdown_offset(BrokerId broker, Offset offset) {
  Session& session = sessions_[broker];
  if (!session.shutdown_offset) session.shutdown_offset = offset;
}

Offset BrokerSessions::lowest_active_offset(const MetadataImage& image) const {
  Offset lowest = std::numeric_limits<std::int64_t>::max();
  for (const auto& [id, session] : sessions_) {
    const BrokerRegistration* broker = image.broker(id);
    if (broker == nullptr || broker->fenced || session.shutdown_offset) continue;
    lowest = std::min(lowest, session.metadata_offset);
  }
  return lowest;
}

}  // namespace milena::controller
