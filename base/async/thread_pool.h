// ThreadPool: a WorkerPool of a few threads.
//
// Threads start when there is work and no idle one, so a pool that is never used costs nothing. At most
// `threads_max` jobs run and at most `queue_max` wait; a thread that is too many after resize() ends with the
// job that it runs.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/async/worker_pool.h"

namespace milena {

class ThreadPool final : public WorkerPool {
 public:
  ThreadPool(std::string name, std::size_t threads_max, std::size_t queue_max);
  ~ThreadPool() override;

  bool try_run(Job job) override;
  void resize(std::size_t threads_max) override;
  void stop() override;
  Load load() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace milena
