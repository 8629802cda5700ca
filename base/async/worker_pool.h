// WorkerPool: a few threads for calls that block: fsync, cold reads, deletes, recovery. Nothing else.
//
// Thread-safe. Threads start when there is work and no idle one, so a pool that is never used costs nothing.
// Always:  at most `threads_max` jobs run and at most `queue_max` wait; a job that was taken runs.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace milena {

class WorkerPool {
 public:
  using Job = std::move_only_function<void()>;

  WorkerPool(std::string name, std::size_t threads_max, std::size_t queue_max);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  // stop()
  ~WorkerPool();

  // False when `queue_max` jobs wait already, when there is no thread and the system gives none, or after
  // stop(): the job is dropped and the caller has to say so to whoever asked for it.
  [[nodiscard]] bool try_run(Job job);
  // From now on so many threads; one that is too many ends with the job that it runs. Any thread.
  void resize(std::size_t threads_max);
  // Runs what was taken, then ends the threads. Not from a job.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace milena
