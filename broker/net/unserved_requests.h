// UnservedRequests: which clients have been named in the log because they asked for an API or a version that
// is not served, so that each is named once and not at every attempt.
//
// Owned by Server, shared by its loops; thread-safe.
// Always:  at most kMaxRemembered are remembered; at the next one all are forgotten, and named again if they
// go on.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>

#include "base/mutex.h"

namespace milena::broker {

class UnservedRequests {
 public:
  static constexpr std::size_t kMaxRemembered = 1000;

  // `what`: client and request, in words. True if it was not remembered, and it is now.
  bool is_first(const std::string& what) {
    const MutexLock lock(mutex_);
    if (remembered_.size() >= kMaxRemembered && !remembered_.contains(what)) remembered_.clear();
    return remembered_.insert(what).second;
  }

 private:
  Mutex mutex_;
  std::unordered_set<std::string> remembered_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
