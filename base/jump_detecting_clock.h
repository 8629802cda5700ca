// JumpDetectingClock: a Clock that doubts its wall time for an hour after a jump forward of more than a day.
//
// Wraps another Clock; its own two times are that one's. A wall clock that was set wrong would make
// everything look old enough to be deleted: for an hour, doubted_ms() says how much of the time not to
// believe, and an operator has that long to put the clock right. Jumps are seen against the monotonic clock;
// across a restart against the time that an earlier process left behind. A jump back is believed at once: it
// makes nothing look older. A machine that was suspended, or a node that was down, for more than a day looks
// the same and costs the same hour.
//
// Owned by the broker. Thread-safe, and without a lock while nothing is doubted. Cannot fail.
// Says: one line when an hour begins, one when it ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"

namespace milena {

class JumpDetectingClock final : public Clock {
 public:
  static constexpr std::int64_t kBelievedJumpMs = 86'400'000;
  static constexpr Instant kDoubtFor{3'600'000};

  // Both outlive the object. Its first wall time is believed.
  JumpDetectingClock(const Clock& clock, const Logger& log);

  // What wall_ms() - doubted_ms() was when this node last ran; none: nobody knows, all of the time is
  // doubted. Once, before other threads use the clock.
  void resume_from(std::optional<std::int64_t> last_seen_ms);

  Instant now() const override { return clock_.now(); }
  std::chrono::nanoseconds fine_now() const override { return clock_.fine_now(); }
  std::int64_t wall_ms() const override { return clock_.wall_ms(); }
  std::int64_t doubted_ms(Instant now, std::int64_t wall_ms) const override;

 private:
  std::int64_t doubt(Instant now, std::int64_t jump_ms) const;

  const Clock& clock_;
  const Logger& log_;
  bool last_seen_is_known_ = true;
  mutable std::atomic<std::int64_t> believed_offset_ms_;  // wall time minus monotonic time
  mutable std::atomic<bool> doubting_ = false;
  mutable Mutex mutex_;
  mutable std::optional<Instant> doubted_since_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena
