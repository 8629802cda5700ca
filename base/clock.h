// Clock: the only source of time. Decisions take `now` as an argument; only shells ask the clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace milena {

// Milliseconds on a clock that never goes back; meaningless between processes. For timers and deadlines.
using Instant = std::chrono::duration<std::int64_t, std::milli>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  // The same time, as fine as the clock has it: for measuring how long something took.
  virtual std::chrono::nanoseconds fine_now() const { return now(); }
  // Milliseconds since the Unix epoch; may jump. For record timestamps and retention.
  virtual std::int64_t wall_ms() const = 0;
  // How much of `wall_ms`, read together with `now`, is a jump forward that may be a mistake: nothing is
  // deleted for its age because of it. See JumpDetectingClock.
  virtual std::int64_t doubted_ms(Instant now, std::int64_t wall_ms) const {
    (void)now, (void)wall_ms;
    return 0;
  }
};

// The wall time by which things are old enough to be deleted.
inline std::int64_t trusted_wall_ms(const Clock& clock) {
  const std::int64_t wall_ms = clock.wall_ms();
  return wall_ms - clock.doubted_ms(clock.now(), wall_ms);
}

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  std::chrono::nanoseconds fine_now() const override;
  std::int64_t wall_ms() const override;
};

// Moves only when told to. Tests and the simulator.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t wall_ms = 1'700'000'000'000) : wall_ms_(wall_ms) {}
  Instant now() const override { return now_; }
  std::int64_t wall_ms() const override { return wall_ms_; }
  void advance(Instant by) {
    now_ += by;
    wall_ms_ += by.count();
  }
  void set_wall_ms(std::int64_t wall_ms) { wall_ms_ = wall_ms; }

 private:
  Instant now_{0};
  std::int64_t wall_ms_;
};

}  // namespace milena
