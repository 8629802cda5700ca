#include "broker/metadata/metadata_thread.h"

#include <utility>

namespace milena::broker {

void MetadataThread::start(std::unique_ptr<WorkerPool> thread) {
  const MutexLock lock(mutex_);
  thread_ = std::move(thread);
}

void MetadataThread::stop() {
  WorkerPool* ending = nullptr;
  {
    const MutexLock lock(mutex_);
    ending = thread_.get();
  }
  if (ending == nullptr) return;
  ending->stop();
  const MutexLock lock(mutex_);
  thread_.reset();
}

void MetadataThread::post(Job job) {
  {
    const MutexLock lock(mutex_);
    waiting_.push_back(std::move(job));
    if (std::exchange(is_working_, true)) return;
    if (thread_ != nullptr && thread_->try_run([this] { work(); })) return;
  }
  work();
}

void MetadataThread::work() {
  for (;;) {
    std::vector<Job> jobs;
    {
      const MutexLock lock(mutex_);
      jobs.swap(waiting_);
      if (jobs.empty()) {
        is_working_ = false;
        return;
      }
    }
    for (Job& job : jobs) job();
  }
}

}  // namespace milena::broker
