// ConnectionCounts: how many connections there are, in total and per address, against the limits.
//
// Shared by the loops of a server; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "base/mutex.h"
#include "broker/net/limits.h"

namespace milena::broker {

class ConnectionCounts {
 public:
  explicit ConnectionCounts(const NetLimits& limits) : limits_(limits) {}

  // As Kafka: at max.connections the next one is not accepted until another one ends.
  bool full();
  // Counts a connection from `host`, unless the address has as many as it may have: then it is closed at
  // once.
  bool admit(const std::string& host);
  void leave(const std::string& host);
  std::size_t total();

 private:
  const NetLimits& limits_;
  Mutex mutex_;
  std::size_t total_ MILENA_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, std::size_t> by_host_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
