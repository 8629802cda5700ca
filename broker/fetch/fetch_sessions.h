// FetchSessions: the incremental fetch sessions of this broker (KIP-227).
//
// Shared by all event loops; thread-safe. A session belongs to one request from acquire() to release(): a
// second request that comes in between gets INVALID_FETCH_SESSION_EPOCH, and its client starts a new session.
// Always:  at most max_sessions sessions; epochs run 1, 2, ... 2^31-1, 1, ...
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/rng.h"
#include "broker/fetch/fetch_set.h"

namespace milena::broker {

class FetchSessions {
 public:
  static constexpr std::int32_t kNoSession = 0;
  static constexpr std::int32_t kInitialEpoch = 0;  // a full fetch that would like a session
  static constexpr std::int32_t kFinalEpoch = -1;   // a full fetch that wants none

  struct Limits {
    std::size_t max_sessions = 1000;      // max.incremental.fetch.session.cache.slots
    Instant eviction = Instant(120'000);  // younger sessions yield to larger ones only after this long
  };

  FetchSessions(Rng& rng, Limits limits) : rng_(rng), limits_(limits) {}

  // Takes the session for a request with this epoch, and moves the session on to the next epoch.
  //   FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH,
  //   FETCH_SESSION_TOPIC_ID_ERROR  the client changed between naming topics and identifying them
  Result<std::shared_ptr<FetchSet>> acquire(std::int32_t session_id, std::int32_t epoch, bool by_id,
                                            Instant now);
  void release(std::int32_t session_id);
  void remove(std::int32_t session_id);

  // Keeps the set of a full fetch as a new session; kNoSession when the cache is full of sessions worth more:
  // used within the eviction time, and no smaller than this one (a replica's counts more than a consumer's).
  std::int32_t create(std::shared_ptr<FetchSet> set, bool from_replica, Instant now);

  std::size_t size();

 private:
  struct Session {
    std::shared_ptr<FetchSet> set;
    std::size_t partitions = 0;  // as of the last release; the set itself belongs to whoever holds it
    std::int32_t epoch = 1;
    bool from_replica = false;
    bool busy = false;
    Instant created{};
    Instant last_used{};
  };

  using Sessions = std::map<std::int32_t, Session>;

  // Whom to drop for a session of this worth; end() when all others are worth more.
  Sessions::iterator choose_victim(bool from_replica, std::size_t partitions, Instant now)
      MILENA_REQUIRES(mutex_);

  Rng& rng_;
  const Limits limits_;
  Mutex mutex_;
  Sessions sessions_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
