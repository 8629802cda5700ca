#include "broker/net/connection_counts.h"

namespace milena::broker {

bool ConnectionCounts::full() {
  const MutexLock lock(mutex_);
  return total_ >= limits_.connections_max;
}

bool ConnectionCounts::admit(const std::string& host) {
  const auto special = limits_.connections_per_ip_overrides.find(host);
  const std::size_t max = special != limits_.connections_per_ip_overrides.end()
                              ? special->second
                              : limits_.connections_per_ip_max;
  const MutexLock lock(mutex_);
  const auto [count, is_new] = by_host_.try_emplace(host, 0);
  if (count->second >= max) {
    if (is_new) by_host_.erase(count);
    return false;
  }
  ++count->second;
  ++total_;
  return true;
}

void ConnectionCounts::leave(const std::string& host) {
  const MutexLock lock(mutex_);
  --total_;
  const auto count = by_host_.find(host);
  if (--count->second == 0) by_host_.erase(count);
}

std::size_t ConnectionCounts::total() {
  const MutexLock lock(mutex_);
  return total_;
}

}  // namespace milena::broker
