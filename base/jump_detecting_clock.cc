#include "base/jump_detecting_clock.h"

namespace milena {

JumpDetectingClock::JumpDetectingClock(const Clock& clock, const Logger& log)
    : clock_(clock), log_(log), believed_offset_ms_(clock.wall_ms() - clock.now().count()) {}

void JumpDetectingClock::resume_from(std::optional<std::int64_t> last_seen_ms) {
  const Instant now = clock_.now();
  last_seen_is_known_ = last_seen_ms.has_value();
  believed_offset_ms_ = last_seen_ms.value_or(0) - now.count();
  (void)doubted_ms(now, clock_.wall_ms());
}

std::int64_t JumpDetectingClock::doubted_ms(Instant now, std::int64_t wall_ms) const {
  constexpr std::int64_t kDriftMs = 1000;  // not worth a write that other threads have to see
  const std::int64_t offset_ms = wall_ms - now.count();
  const std::int64_t jump_ms = offset_ms - believed_offset_ms_.load(std::memory_order_relaxed);
  if (jump_ms > kBelievedJumpMs) return doubt(now, jump_ms);
  if (jump_ms < -kDriftMs || jump_ms > kDriftMs)
    believed_offset_ms_.store(offset_ms, std::memory_order_relaxed);
  if (doubting_.load(std::memory_order_relaxed)) {
    const MutexLock lock(mutex_);
    doubted_since_.reset();
    doubting_ = false;
  }
  return 0;
}

std::int64_t JumpDetectingClock::doubt(Instant now, std::int64_t jump_ms) const {
  const MutexLock lock(mutex_);
  if (!doubted_since_) {
    doubted_since_ = now;
    doubting_ = true;
    if (last_seen_is_known_) {
      log_.warn(
          "the wall clock has gone forward by {} hours: in case it is wrong, nothing is deleted for its age "
          "for an hour (segments, offsets, transactional ids, producer states)",
          jump_ms / 3'600'000);
    } else {
      log_.info(
          "nothing says when these log directories were last used: in case the wall clock is wrong, nothing "
          "is deleted for its age for an hour");
    }
  }
  if (now - *doubted_since_ < kDoubtFor) return jump_ms;
  log_.info("the wall clock has stood for an hour: what is old enough is deleted again");
  believed_offset_ms_.fetch_add(jump_ms, std::memory_order_relaxed);
  doubted_since_.reset();
  doubting_ = false;
  return 0;
}

}  // namespace milena
