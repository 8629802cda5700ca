// SimRuntime: a Runtime of one thread and a virtual clock. Which of the things that could happen next does
// happen is decided by a seed, so a run can be repeated step by step.
//
// Not thread-safe: whoever has it turns it, with step() and what is built on it; wait() does so, too. A job
// of a pool and a turn of a loop run to their end in no time; time passes only between them, when nothing is
// left to do at the present moment. A slow disk is a pool whose jobs start late.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/async/runtime.h"
#include "base/clock.h"
#include "base/rng.h"

namespace milena {

class SimRuntime final : public Runtime {
 public:
  explicit SimRuntime(std::uint64_t seed);
  ~SimRuntime() override;

  ManualClock& clock() { return clock_; }
  Rng& rng() { return rng_; }

  // How long a job of a pool waits before it runs: less than this.
  void set_disk_delay(Instant below) { disk_delay_ = below; }

  // Does the next thing. False when there is nothing to do, ever.
  bool step();
  // Steps until `done`, at most for so much virtual time. Whether it came to that.
  bool run_until(const std::function<bool()>& done, Instant at_most);
  // Lets so much virtual time pass.
  void run_for(Instant duration);
  // `action` in so much virtual time, on no loop.
  void after(Instant delay, std::move_only_function<void()> action);
  // Steps so far.
  std::uint64_t steps() const { return steps_; }

  std::unique_ptr<Loop> make_loop(const Clock& clock, const std::string& name) override;
  std::unique_ptr<WorkerPool> make_pool(const std::string& name, std::size_t threads_max,
                                        std::size_t queue_max) override;
  void in_parallel(std::size_t threads, std::size_t count,
                   const std::function<void(std::size_t)>& work) override;
  // Steps until the latch is open. Aborts when nothing is left that could open it.
  void wait(Latch& latch) override;

 private:
  class Driver;
  class Pool;
  using Action = std::move_only_function<void()>;
  using Event = std::multimap<Instant, Action>::iterator;

  Event schedule(Instant at, Action action) { return events_.emplace(at, std::move(action)); }
  void cancel(Event event) { events_.erase(event); }

  ManualClock clock_;
  SeededRng rng_;
  Instant disk_delay_{1};
  std::multimap<Instant, Action> events_;
  std::uint64_t steps_ = 0;
  const Loop::Driver* current_ = nullptr;  // the loop whose turn it is
};

}  // namespace milena
