#include "base/async/asio_driver.h"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/async/asio.h"

namespace milena {
namespace {

class AsioDriver final : public Loop::Driver {
 public:
  AsioDriver(Loop& loop, std::string name) : loop_(loop), name_(std::move(name)) {}
  ~AsioDriver() override { MILENA_ASSERT(!thread_.joinable(), "a loop is destroyed before it was joined"); }

  void wake() override {
    asio::post(io_, [this] { loop_.run_jobs(); });
  }

  void set_alarm(Instant deadline) override {
    constexpr Instant kLongest{24 * 60 * 60 * 1000};  // the alarm counts nanoseconds, timers may be for ever
    alarm_.expires_after(std::clamp(deadline - loop_.now(), Instant{0}, kLongest));
    alarm_.async_wait([this](error_code error) {
      if (!error) loop_.run_due_timers();  // else it was moved
    });
  }

  bool here() const override { return runner_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

  void start() override {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
      run();
    });
  }

  void run() override {
    runner_ = std::this_thread::get_id();
    io_.run();
    loop_.run_jobs();
    runner_ = std::thread::id{};
  }

  void stop() override { io_.stop(); }

  void join() override {
    if (thread_.joinable()) thread_.join();
  }

  std::chrono::nanoseconds cpu_time() const override {
    clockid_t clock{};
    timespec time{};
    auto& thread = const_cast<std::thread&>(thread_);
    if (!thread.joinable() || pthread_getcpuclockid(thread.native_handle(), &clock) != 0) return {};
    if (clock_gettime(clock, &time) != 0) return {};
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  }

  asio::io_context* io() override { return &io_; }

 private:
  Loop& loop_;
  const std::string name_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::steady_timer alarm_{io_};
  std::atomic<std::thread::id> runner_{};
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Loop::Driver> make_asio_driver(Loop& loop, std::string name) {
  return std::make_unique<AsioDriver>(loop, std::move(name));
}

}  // namespace milena
