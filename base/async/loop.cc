#include "base/async/loop.h"

#include <utility>

#include "base/assert.h"
#include "base/async/asio_driver.h"

namespace milena {

Loop::Loop(const Clock& clock, const std::string& name)
    : Loop(clock, [&name](Loop& loop) { return make_asio_driver(loop, name); }) {}

Loop::Loop(const Clock& clock, const DriverFactory& make_driver)
    : clock_(clock), driver_(make_driver(*this)) {}

Loop::~Loop() {
  while (inbox_.load(std::memory_order_acquire) != nullptr) run_jobs();  // they may post more
}

void Loop::post(Job& job) {
  Job* first = inbox_.load(std::memory_order_relaxed);
  do {
    job.next_ = first;
  } while (!inbox_.compare_exchange_weak(first, &job, std::memory_order_release, std::memory_order_relaxed));
  if (first == nullptr && !(here() && running_jobs_)) driver_->wake();
}

void Loop::post(std::move_only_function<void()> job) {
  struct Once final : Job {
    explicit Once(std::move_only_function<void()> f) : function(std::move(f)) {}
    void run() override {
      const std::unique_ptr<Once> self(this);
      function();
    }
    std::move_only_function<void()> function;
  };
  post(*std::make_unique<Once>(std::move(job)).release());
}

// What a job posts runs right behind it, without another round through the reactor. Once, so that jobs that
// post themselves again and again leave the sockets their turn.
void Loop::run_jobs() {
  running_jobs_ = true;
  run_posted_jobs();
  run_posted_jobs();
  running_jobs_ = false;
  if (inbox_.load(std::memory_order_relaxed) != nullptr) driver_->wake();
}

void Loop::run_posted_jobs() {
  Job* newest = inbox_.exchange(nullptr, std::memory_order_acquire);
  Job* oldest = nullptr;
  while (newest != nullptr) {
    Job* const next = newest->next_;
    newest->next_ = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != nullptr) {
    Job* const job = oldest;
    oldest = job->next_;
    job->run();
  }
}

void Loop::arm(Timer& timer, Instant deadline) {
  timers_.arm(timer, deadline);
  sleep_until_next_timer();
}

void Loop::run_due_timers() {
  firing_ = true;
  alarm_at_.reset();
  timers_.run_due(now());
  firing_ = false;
  sleep_until_next_timer();
}

// Wakes up early rather than moving the alarm for every timer that is cancelled: setting it is a system call.
// An alarm that is long overdue will not come: a clock went ahead of the one that it was set by.
void Loop::sleep_until_next_timer() {
  constexpr Instant kOverdue{1000};
  if (firing_) return;
  const auto earliest = timers_.earliest();
  if (!earliest || (alarm_at_ && *alarm_at_ <= *earliest && now() - *alarm_at_ < kOverdue)) return;
  alarm_at_ = earliest;
  driver_->set_alarm(*earliest);
}

boost::asio::io_context& Loop::io() {
  auto* const io = driver_->io();
  MILENA_ASSERT(io != nullptr, "this loop has no reactor");
  return *io;
}

}  // namespace milena
