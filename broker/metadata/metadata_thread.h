// MetadataThread: where everything happens that appends to the metadata log or publishes an image: one job
// after the other.
//
// Owned by ClusterMetadata. Any thread may post.
// Always: a job that is posted runs, once, in the order of posting and never beside another one. Before
// start(), after stop(), and while the pool does not take it, a job runs on the thread that posts it, unless
// some thread is at work already: then that one runs it next.
#pragma once

#include <memory>
#include <vector>

#include "base/async/worker_pool.h"
#include "base/mutex.h"

namespace milena::broker {

class MetadataThread {
 public:
  using Job = WorkerPool::Job;

  // From now on jobs run on `thread`, a pool of one thread with room for one job.
  void start(std::unique_ptr<WorkerPool> thread);
  // Runs what was posted, then ends the thread. Not from a job.
  void stop();

  void post(Job job);

 private:
  void work();

  Mutex mutex_;
  std::vector<Job> waiting_ MILENA_GUARDED_BY(mutex_);
  bool is_working_ MILENA_GUARDED_BY(mutex_) = false;
  std::unique_ptr<WorkerPool> thread_ MILENA_GUARDED_BY(mutex_);  // null: there is none
};

}  // namespace milena::broker
