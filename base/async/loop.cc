#include "base/async/loop.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/async/asio.h"

namespace milena {

struct Loop::Impl {
  Impl(const Clock& clock_, std::string name_) : clock(clock_), name(std::move(name_)) {}

  const Clock& clock;
  const std::string name;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  TimerQueue timers;
  asio::steady_timer alarm{io};
  std::optional<Instant> alarm_at;
  bool firing = false;
  bool running_jobs = false;
  std::atomic<Job*> inbox{nullptr};  // newest first
  std::atomic<std::thread::id> runner{};
  std::thread thread;
};

Loop::Loop(const Clock& clock, std::string name) : impl_(std::make_unique<Impl>(clock, std::move(name))) {}

Loop::~Loop() {
  MILENA_ASSERT(!impl_->thread.joinable(), "a loop is destroyed before it was joined");
  while (impl_->inbox.load(std::memory_order_acquire) != nullptr) run_jobs();  // they may post more
}

void Loop::start() {
  impl_->thread = std::thread([this] {
    pthread_setname_np(pthread_self(), impl_->name.substr(0, 15).c_str());
    run();
  });
}

void Loop::run() {
  impl_->runner = std::this_thread::get_id();
  impl_->io.run();
  run_jobs();
  impl_->runner = std::thread::id{};
}

void Loop::stop() { impl_->io.stop(); }

void Loop::join() {
  if (impl_->thread.joinable()) impl_->thread.join();
}

bool Loop::here() const {
  return impl_->runner.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

void Loop::post(Job& job) {
  Job* first = impl_->inbox.load(std::memory_order_relaxed);
  do {
    job.next_ = first;
  } while (
      !impl_->inbox.compare_exchange_weak(first, &job, std::memory_order_release, std::memory_order_relaxed));
  if (first == nullptr && !(here() && impl_->running_jobs)) wake();
}

void Loop::wake() {
  asio::post(impl_->io, [this] { run_jobs(); });
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
  impl_->running_jobs = true;
  run_posted_jobs();
  run_posted_jobs();
  impl_->running_jobs = false;
  if (impl_->inbox.load(std::memory_order_relaxed) != nullptr) wake();
}

void Loop::run_posted_jobs() {
  Job* newest = impl_->inbox.exchange(nullptr, std::memory_order_acquire);
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

const Clock& Loop::clock() const { return impl_->clock; }

void Loop::arm(Timer& timer, Instant deadline) {
  impl_->timers.arm(timer, deadline);
  sleep_until_next_timer();
}

void Loop::run_due_timers() {
  impl_->firing = true;
  impl_->timers.run_due(now());
  impl_->firing = false;
  sleep_until_next_timer();
}

// Wakes up early rather than moving the alarm for every timer that is cancelled: setting it is a system call.
void Loop::sleep_until_next_timer() {
  if (impl_->firing) return;
  const auto earliest = impl_->timers.earliest();
  if (!earliest || (impl_->alarm_at && *impl_->alarm_at <= *earliest)) return;
  impl_->alarm_at = earliest;
  constexpr Instant kLongest{24 * 60 * 60 * 1000};  // the alarm counts nanoseconds, timers may be for ever
  impl_->alarm.expires_after(std::clamp(*earliest - now(), Instant{0}, kLongest));
  impl_->alarm.async_wait([this](error_code error) {
    if (error) return;  // moved to an earlier time
    impl_->alarm_at.reset();
    run_due_timers();
  });
}

asio::io_context& Loop::io() { return impl_->io; }

}  // namespace milena
