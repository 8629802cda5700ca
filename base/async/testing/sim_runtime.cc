#include "base/async/testing/sim_runtime.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <numeric>
#include <optional>
#include <vector>

#include "base/assert.h"

namespace milena {

// A loop without a thread: its turns are events of the runtime.
class SimRuntime::Driver final : public Loop::Driver {
 public:
  Driver(SimRuntime& runtime, Loop& loop) : runtime_(runtime), loop_(loop) {}
  ~Driver() override { cancel_all(); }

  void wake() override {
    if (turn_ || has_ended_) return;
    turn_ = runtime_.schedule(runtime_.clock_.now(), [this] {
      turn_.reset();
      on_loop([this] { loop_.run_jobs(); });
    });
  }

  void set_alarm(Instant deadline) override {
    if (alarm_) runtime_.cancel(*std::exchange(alarm_, std::nullopt));
    if (has_ended_) return;
    alarm_ = runtime_.schedule(std::max(deadline, runtime_.clock_.now()), [this] {
      alarm_.reset();
      on_loop([this] { loop_.run_due_timers(); });
    });
  }

  bool here() const override { return runtime_.current_ == this; }
  void start() override {}
  void run() override { MILENA_ASSERT(false, "the simulator runs its loops itself"); }

  // What was posted still runs, in join().
  void stop() override {
    has_ended_ = true;
    cancel_all();
  }
  void join() override {
    on_loop([this] { loop_.run_jobs(); });
  }

  boost::asio::io_context* io() override { return nullptr; }

 private:
  template <class F>
  void on_loop(F turn) {
    const auto* const before = std::exchange(runtime_.current_, this);
    turn();
    runtime_.current_ = before;
  }
  void cancel_all() {
    if (turn_) runtime_.cancel(*std::exchange(turn_, std::nullopt));
    if (alarm_) runtime_.cancel(*std::exchange(alarm_, std::nullopt));
  }

  SimRuntime& runtime_;
  Loop& loop_;
  bool has_ended_ = false;
  std::optional<Event> turn_;
  std::optional<Event> alarm_;
};

class SimRuntime::Pool final : public WorkerPool {
 public:
  Pool(SimRuntime& runtime, std::size_t threads_max, std::size_t queue_max)
      : runtime_(runtime), threads_max_(threads_max), queue_max_(queue_max) {}
  ~Pool() override { Pool::stop(); }

  bool try_run(Job job) override {
    if (has_ended_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(job));
    take_next();
    return true;
  }

  void resize(std::size_t threads_max) override {
    threads_max_ = threads_max;
    take_next();
  }

  void stop() override {
    has_ended_ = true;
    for (auto& [id, running] : std::exchange(busy_, {})) {
      runtime_.cancel(running.event);
      (*running.job)();
    }
    while (!queue_.empty()) {
      auto job = std::move(queue_.front());
      queue_.pop_front();
      job();
    }
  }

  Load load() const override {
    return {.queued = queue_.size(), .running = busy_.size(), .threads_max = threads_max_};
  }

 private:
  struct Running {
    Event event;
    std::shared_ptr<Job> job;
  };

  // A job that is taken runs a little later, as one of a slow disk does.
  void take_next() {
    while (!has_ended_ && busy_.size() < threads_max_ && !queue_.empty()) {
      auto job = std::make_shared<Job>(std::move(queue_.front()));
      queue_.pop_front();
      const auto delay = static_cast<std::int64_t>(runtime_.rng_.below(
          static_cast<std::uint64_t>(std::max<std::int64_t>(runtime_.disk_delay_.count(), 1))));
      const std::uint64_t id = next_id_++;
      const auto event = runtime_.schedule(runtime_.clock_.now() + Instant{delay}, [this, id, job] {
        (*job)();
        busy_.erase(id);
        take_next();
      });
      busy_.emplace(id, Running{event, job});
    }
  }

  SimRuntime& runtime_;
  std::size_t threads_max_;
  const std::size_t queue_max_;
  bool has_ended_ = false;
  std::uint64_t next_id_ = 0;
  std::map<std::uint64_t, Running> busy_;
  std::deque<Job> queue_;
};

SimRuntime::SimRuntime(std::uint64_t seed) : rng_(seed) {}

SimRuntime::~SimRuntime() = default;

bool SimRuntime::step() {
  if (events_.empty()) return false;
  const Instant earliest = events_.begin()->first;
  if (earliest > clock_.now()) clock_.advance(earliest - clock_.now());
  const auto end = events_.upper_bound(clock_.now());
  const auto candidates = static_cast<std::uint64_t>(std::distance(events_.begin(), end));
  const auto chosen = std::next(events_.begin(), static_cast<std::ptrdiff_t>(rng_.below(candidates)));
  auto event = events_.extract(chosen);
  ++steps_;
  event.mapped()();
  return true;
}

bool SimRuntime::run_until(const std::function<bool()>& done, Instant at_most) {
  const Instant end = clock_.now() + at_most;
  while (!done()) {
    if (events_.empty() || events_.begin()->first > end) return false;
    step();
  }
  return true;
}

void SimRuntime::run_for(Instant duration) {
  const Instant end = clock_.now() + duration;
  while (!events_.empty() && events_.begin()->first <= end) step();
  clock_.advance(end - clock_.now());
}

void SimRuntime::after(Instant delay, std::move_only_function<void()> action) {
  schedule(clock_.now() + delay, std::move(action));
}

std::unique_ptr<Loop> SimRuntime::make_loop(const Clock& clock, const std::string&) {
  return std::make_unique<Loop>(clock, [this](Loop& loop) { return std::make_unique<Driver>(*this, loop); });
}

std::unique_ptr<WorkerPool> SimRuntime::make_pool(const std::string&, std::size_t threads_max,
                                                  std::size_t queue_max) {
  return std::make_unique<Pool>(*this, threads_max, queue_max);
}

void SimRuntime::in_parallel(std::size_t, std::size_t count, const std::function<void(std::size_t)>& work) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t left = count; left > 1; --left) std::swap(order[left - 1], order[rng_.below(left)]);
  for (const std::size_t at : order) work(at);
}

void SimRuntime::wait(Latch& latch) {
  MILENA_ASSERT(current_ == nullptr, "a loop waits for others");
  while (!latch.is_open()) MILENA_ASSERT(step(), "nothing is left that could open the latch");
}

}  // namespace milena
