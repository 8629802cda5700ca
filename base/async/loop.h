// Loop: one thread and its event loop. Whatever belongs to a loop is touched only from its thread.
//
// A broker owns a handful of them. Everything here is called on the loop's own thread unless it says "any
// thread". A loop outlives everything that was given a reference to it. Jobs run in the order they were
// posted, one at a time, never inside post().
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/async/timer_queue.h"
#include "base/clock.h"

namespace boost::asio {
class io_context;
}

namespace milena {

class Loop {
 public:
  // Work that any thread hands to a loop without allocating: the object itself is the queue's link. It must
  // stay alive until run() is called, and may be posted again from then on, not earlier.
  class Job {
   public:
    virtual void run() = 0;

   protected:
    ~Job() = default;

   private:
    friend class Loop;
    Job* next_ = nullptr;
  };

  // What turns a loop: a thread that sleeps in Asio's reactor, or a simulator. Between its own calls it runs
  // run_jobs() after wake() and run_due_timers() at the alarm, one at a time.
  class Driver {
   public:
    virtual ~Driver() = default;
    // Any thread: run_jobs() soon.
    virtual void wake() = 0;
    // run_due_timers() at `deadline`, or earlier. A later call replaces what an earlier one asked for.
    virtual void set_alarm(Instant deadline) = 0;
    // Any thread: whether this is the loop's own.
    virtual bool here() const = 0;
    virtual void start() = 0;
    virtual void run() = 0;
    virtual void stop() = 0;
    virtual void join() = 0;
    // Any thread, between start() and join(): what the loop's own thread has computed; zero where there is
    // none.
    virtual std::chrono::nanoseconds cpu_time() const { return {}; }
    // For whoever waits for sockets or signals; null where there are none.
    virtual boost::asio::io_context* io() = 0;
  };
  using DriverFactory = std::function<std::unique_ptr<Driver>(Loop& loop)>;

  // On a thread of its own with Asio's reactor. `name` is what the thread is called in top and in a debugger,
  // at most 15 characters.
  Loop(const Clock& clock, const std::string& name);
  Loop(const Clock& clock, const DriverFactory& make_driver);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  // The loop must have ended. Jobs posted since then run now.
  ~Loop();

  // Runs on a thread of its own.
  void start() { driver_->start(); }
  // Runs on the calling thread until stop().
  void run() { driver_->run(); }
  // Any thread. Ends the loop after the handler that runs now; posted jobs still run.
  void stop() { driver_->stop(); }
  // Waits for the thread of start() to end.
  void join() { driver_->join(); }

  // Any thread.
  bool here() const { return driver_->here(); }
  void post(Job& job);
  void post(std::move_only_function<void()> job);

  // Any thread, between start() and join().
  std::chrono::nanoseconds cpu_time() const { return driver_->cpu_time(); }

  const Clock& clock() const { return clock_; }
  Instant now() const { return clock_.now(); }
  void arm(Timer& timer, Instant deadline);

  // For the driver, and for a test that moves a ManualClock: fires what is due by the clock.
  void run_due_timers();
  // For the driver: what was posted.
  void run_jobs();

  // Only of a loop that Asio drives.
  boost::asio::io_context& io();

 private:
  void run_posted_jobs();
  void sleep_until_next_timer();

  const Clock& clock_;
  TimerQueue timers_;
  std::optional<Instant> alarm_at_;
  bool firing_ = false;
  bool running_jobs_ = false;
  std::atomic<Job*> inbox_{nullptr};  // newest first
  const std::unique_ptr<Driver> driver_;
};

}  // namespace milena
