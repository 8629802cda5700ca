// Runtime: where threads come from: event loops, pools, work in parallel; and who waits for them.
//
// Handed to a broker with its files and its clock. ThreadRuntime is real; the simulator's runs everything on
// one thread, in an order that its seed decides. Thread-safe; outlives all that it has made.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/async/latch.h"
#include "base/async/loop.h"
#include "base/async/worker_pool.h"
#include "base/clock.h"

namespace milena {

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual std::unique_ptr<Loop> make_loop(const Clock& clock, const std::string& name) = 0;
  virtual std::unique_ptr<WorkerPool> make_pool(const std::string& name, std::size_t threads_max,
                                                std::size_t queue_max) = 0;
  // work(0) ... work(count - 1), each once, on up to `threads` threads. Returns when all are done.
  virtual void in_parallel(std::size_t threads, std::size_t count,
                           const std::function<void(std::size_t)>& work) = 0;
  // Blocks until the latch is open. Not on a loop, and not in a job of a pool.
  virtual void wait(Latch& latch) = 0;
};

class ThreadRuntime final : public Runtime {
 public:
  std::unique_ptr<Loop> make_loop(const Clock& clock, const std::string& name) override;
  std::unique_ptr<WorkerPool> make_pool(const std::string& name, std::size_t threads_max,
                                        std::size_t queue_max) override;
  void in_parallel(std::size_t threads, std::size_t count,
                   const std::function<void(std::size_t)>& work) override;
  void wait(Latch& latch) override;
};

}  // namespace milena
