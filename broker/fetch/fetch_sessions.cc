#include "broker/fetch/fetch_sessions.h"

#include <limits>
#include <tuple>
#include <utility>

namespace milena::broker {
namespace {

constexpr std::int32_t kMaxId = std::numeric_limits<std::int32_t>::max();

std::int32_t next_epoch(std::int32_t epoch) { return epoch == kMaxId ? 1 : epoch + 1; }

}  // namespace

Result<std::shared_ptr<FetchSet>> FetchSessions::acquire(std::int32_t session_id, std::int32_t epoch,
                                                         bool by_id, Instant now) {
  const MutexLock lock(mutex_);
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) return fail(ErrorCode::kFetchSessionIdNotFound, "no such fetch session");
  Session& session = found->second;
  if (session.busy || session.epoch != epoch) {
    return fail(ErrorCode::kInvalidFetchSessionEpoch, "not the next epoch of the fetch session");
  }
  if (session.set->by_id() != by_id) {
    return fail(ErrorCode::kFetchSessionTopicIdError, "the fetch session names topics the other way");
  }
  session.busy = true;
  session.epoch = next_epoch(epoch);
  session.last_used = now;
  return session.set;
}

void FetchSessions::release(std::int32_t session_id) {
  const MutexLock lock(mutex_);
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) return;
  found->second.busy = false;
  found->second.partitions = found->second.set->size();
}

void FetchSessions::remove(std::int32_t session_id) {
  std::shared_ptr<FetchSet> doomed;  // destroyed without the lock: it detaches from its partitions
  const MutexLock lock(mutex_);
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) return;
  doomed = std::move(found->second.set);
  sessions_.erase(found);
}

std::int32_t FetchSessions::create(std::shared_ptr<FetchSet> set, bool from_replica, Instant now) {
  std::shared_ptr<FetchSet> doomed;
  const std::size_t partitions = set->size();
  const MutexLock lock(mutex_);
  if (sessions_.size() >= limits_.max_sessions) {
    const auto victim = choose_victim(from_replica, partitions, now);
    if (victim == sessions_.end()) return kNoSession;
    doomed = std::move(victim->second.set);
    sessions_.erase(victim);
  }
  std::int32_t id = kNoSession;
  while (id == kNoSession || sessions_.contains(id)) {
    id = static_cast<std::int32_t>(rng_.below(static_cast<std::uint64_t>(kMaxId)));
  }
  sessions_.emplace(id, Session{.set = std::move(set),
                                .partitions = partitions,
                                .from_replica = from_replica,
                                .created = now,
                                .last_used = now});
  return id;
}

FetchSessions::Sessions::iterator FetchSessions::choose_victim(bool from_replica, std::size_t partitions,
                                                               Instant now) {
  auto stalest = sessions_.end();
  auto least = sessions_.end();
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    const Session& session = it->second;
    if (session.busy) continue;
    if (stalest == sessions_.end() || session.last_used < stalest->second.last_used) stalest = it;
    const bool old = now - session.created > limits_.eviction;
    const bool evictable = old || (from_replica && !session.from_replica);
    auto worth = [](const Session& s) { return std::tuple(s.from_replica, s.partitions); };
    if (evictable && (least == sessions_.end() || worth(session) < worth(least->second))) least = it;
  }
  if (stalest != sessions_.end() && now - stalest->second.last_used > limits_.eviction) return stalest;
  if (least == sessions_.end()) return least;
  const auto& weakest = least->second;
  const bool stronger =
      std::tuple(from_replica, partitions) >= std::tuple(weakest.from_replica, weakest.partitions);
  return stronger ? least : sessions_.end();
}

std::size_t FetchSessions::size() {
  const MutexLock lock(mutex_);
  return sessions_.size();
}

}  // namespace milena::broker
