// WorkerPool: where calls that block run: fsync, cold reads, deletes, recovery. Nothing else.
//
// Thread-safe. A job that was taken runs, once. ThreadPool is the one of a broker; the simulator has its own.
#pragma once

#include <cstddef>
#include <functional>

namespace milena {

class WorkerPool {
 public:
  using Job = std::move_only_function<void()>;

  WorkerPool() = default;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  virtual ~WorkerPool() = default;

  // False when the queue is full, when there is no thread and the system gives none, or after stop(): the job
  // is dropped and the caller has to say so to whoever asked for it.
  [[nodiscard]] virtual bool try_run(Job job) = 0;
  // From now on at most so many jobs at once. Any thread.
  virtual void resize(std::size_t threads_max) = 0;
  // Runs what was taken, then ends. Not from a job.
  virtual void stop() = 0;

  struct Load {
    std::size_t queued = 0;   // jobs that wait for a thread
    std::size_t running = 0;  // jobs under way
    std::size_t threads_max = 0;
  };
  // Any thread.
  virtual Load load() const = 0;
};

}  // namespace milena
