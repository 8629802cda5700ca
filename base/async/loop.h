// Loop: one thread and its event loop. Whatever belongs to a loop is touched only from its thread.
//
// A broker owns a handful of them. Everything here is called on the loop's own thread unless it says "any
// thread". A loop outlives everything that was given a reference to it.
// Always:  jobs run in the order they were posted, one at a time, never inside post().
#pragma once

#include <functional>
#include <memory>
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

  // `name` is what the thread is called in top and in a debugger, at most 15 characters.
  Loop(const Clock& clock, std::string name);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  // The loop must have ended. Jobs posted since then run now.
  ~Loop();

  // Runs on a thread of its own.
  void start();
  // Runs on the calling thread until stop().
  void run();
  // Any thread. Ends the loop after the handler that runs now; posted jobs still run.
  void stop();
  // Waits for the thread of start() to end.
  void join();

  // Any thread.
  bool here() const;
  void post(Job& job);
  void post(std::move_only_function<void()> job);

  const Clock& clock() const;
  Instant now() const { return clock().now(); }
  void arm(Timer& timer, Instant deadline);
  // Fires what is due by the clock. The loop does this itself, but it sleeps by real time: a test that moves
  // a ManualClock calls this.
  void run_due_timers();

  boost::asio::io_context& io();

 private:
  void wake();
  void run_jobs();
  void run_posted_jobs();
  void sleep_until_next_timer();

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace milena
