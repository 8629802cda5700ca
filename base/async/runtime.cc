#include "base/async/runtime.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

#include "base/async/thread_pool.h"

namespace milena {

std::unique_ptr<Loop> ThreadRuntime::make_loop(const Clock& clock, const std::string& name) {
  return std::make_unique<Loop>(clock, name);
}

std::unique_ptr<WorkerPool> ThreadRuntime::make_pool(const std::string& name, std::size_t threads_max,
                                                     std::size_t queue_max) {
  return std::make_unique<ThreadPool>(name, threads_max, queue_max);
}

void ThreadRuntime::in_parallel(std::size_t threads, std::size_t count,
                                const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  const auto some = [&] {
    for (std::size_t at = next++; at < count; at = next++) work(at);
  };
  std::vector<std::thread> others;
  try {
    for (std::size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(some);
  } catch (const std::system_error&) {
    // The system has no more threads to give: those that there are do it.
  }
  some();
  for (auto& thread : others) thread.join();
}

void ThreadRuntime::wait(Latch& latch) { latch.wait(); }

}  // namespace milena
