#include "broker/net/connection_counts.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace milena::broker {

void ConnectionCounts::set_limits(ConnectionLimits limits) {
  const MutexLock lock(mutex_);
  limits_ = std::move(limits);
}

const ConnectionLimits::Share* ConnectionCounts::own_share(const std::string& listener) {
  const auto own = limits_.by_listener.find(listener);
  return own == limits_.by_listener.end() ? nullptr : &own->second;
}

bool ConnectionCounts::full(const std::string& listener) {
  const MutexLock lock(mutex_);
  if (total_ >= limits_.all.max) return true;
  const auto* own = own_share(listener);
  return own != nullptr && by_listener_[listener].open >= own->max;
}

Instant ConnectionCounts::wait_to_create(const std::string& listener, Instant now) {
  const MutexLock lock(mutex_);
  const auto* own = own_share(listener);
  Instant wait = wait_for(all_created_, limits_.all.creation_rate_max, now);
  if (own != nullptr) {
    wait = std::max(wait, wait_for(created_by_listener_[listener], own->creation_rate_max, now));
  }
  if (wait > Instant{0}) return wait;
  all_created_.tokens -= 1;
  if (own != nullptr) created_by_listener_[listener].tokens -= 1;
  return wait;
}

Instant ConnectionCounts::wait_for(Bucket& bucket, std::size_t rate, Instant now) {
  constexpr Instant kNever{60'000};  // at a rate of zero, as good as
  const double per_second = static_cast<double>(rate);
  const double most = std::max(per_second * static_cast<double>(limits_.creation_burst_seconds), 1.0);
  const double seconds = static_cast<double>((now - bucket.filled_at).count()) / 1000;
  bucket.tokens = bucket.filled_at < Instant{0} ? most : std::min(bucket.tokens + seconds * per_second, most);
  bucket.filled_at = now;
  if (rate == 0) return kNever;
  if (bucket.tokens >= 1) return Instant{0};
  return Instant{static_cast<std::int64_t>(std::ceil((1 - bucket.tokens) * 1000 / per_second))};
}

bool ConnectionCounts::admit(const std::string& listener, const std::string& host) {
  const MutexLock lock(mutex_);
  const auto special = limits_.per_ip_overrides.find(host);
  const std::size_t max = special != limits_.per_ip_overrides.end() ? special->second : limits_.per_ip_max;
  const auto [count, is_new] = by_host_.try_emplace(host, 0);
  if (count->second >= max) {
    if (is_new) by_host_.erase(count);
    return false;
  }
  ++count->second;
  OfListener& of_listener = by_listener_[listener];
  ++of_listener.open;
  ++of_listener.created;
  ++total_;
  return true;
}

void ConnectionCounts::leave(const std::string& listener, const std::string& host) {
  const MutexLock lock(mutex_);
  --total_;
  --by_listener_[listener].open;
  const auto count = by_host_.find(host);
  if (--count->second == 0) by_host_.erase(count);
}

std::size_t ConnectionCounts::total() {
  const MutexLock lock(mutex_);
  return total_;
}

std::map<std::string, ConnectionCounts::OfListener> ConnectionCounts::by_listener() {
  const MutexLock lock(mutex_);
  return by_listener_;
}

}  // namespace milena::broker
