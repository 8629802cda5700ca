// ConnectionCounts: how many connections there are, in total, per listener and per address, and how fast new
// ones come, against the limits.
//
// Shared by the loops of a server; thread-safe. The limits may change at any time: connections that are open
// stay open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "broker/net/limits.h"

namespace milena::broker {

class ConnectionCounts {
 public:
  explicit ConnectionCounts(ConnectionLimits limits) : limits_(std::move(limits)) {}

  void set_limits(ConnectionLimits limits);

  // As Kafka: at max.connections the next one waits until another one ends.
  bool full(const std::string& listener);
  // How long the next connection is to wait, for max.connection.creation.rate; zero: not at all, and it
  // counts as created now.
  Instant wait_to_create(const std::string& listener, Instant now);
  // Counts a connection from `host`, unless the address has as many as it may have: then it is closed at
  // once.
  bool admit(const std::string& listener, const std::string& host);
  void leave(const std::string& listener, const std::string& host);
  std::size_t total();
  struct OfListener {
    std::size_t open = 0;
    std::uint64_t created = 0;
  };
  std::map<std::string, OfListener> by_listener();

 private:
  // A bucket of connections that may be created at once; it fills at the rate.
  struct Bucket {
    double tokens = 0;
    Instant filled_at{-1};  // negative: never; then it is full
  };
  Instant wait_for(Bucket& bucket, std::size_t rate, Instant now) MILENA_REQUIRES(mutex_);
  const ConnectionLimits::Share* own_share(const std::string& listener) MILENA_REQUIRES(mutex_);

  Mutex mutex_;
  ConnectionLimits limits_ MILENA_GUARDED_BY(mutex_);
  std::size_t total_ MILENA_GUARDED_BY(mutex_) = 0;
  std::map<std::string, OfListener> by_listener_ MILENA_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::size_t> by_host_ MILENA_GUARDED_BY(mutex_);
  Bucket all_created_ MILENA_GUARDED_BY(mutex_);
  std::map<std::string, Bucket> created_by_listener_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
