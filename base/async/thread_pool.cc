#include "base/async/thread_pool.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace milena {

struct ThreadPool::Impl {
  Impl(std::string name_, std::size_t threads_max_, std::size_t queue_max_)
      : name(std::move(name_)), queue_max(queue_max_), threads_max(threads_max_) {}

  void work();

  const std::string name;
  const std::size_t queue_max;
  Mutex mutex;
  std::size_t threads_max MILENA_GUARDED_BY(mutex);
  std::size_t running MILENA_GUARDED_BY(mutex) = 0;  // threads that have not ended
  std::condition_variable_any wake;
  std::deque<WorkerPool::Job> queue MILENA_GUARDED_BY(mutex);
  std::size_t idle MILENA_GUARDED_BY(mutex) = 0;
  bool stopping MILENA_GUARDED_BY(mutex) = false;
  std::vector<std::thread> threads MILENA_GUARDED_BY(mutex);
};

ThreadPool::ThreadPool(std::string name, std::size_t threads_max, std::size_t queue_max)
    : impl_(std::make_unique<Impl>(std::move(name), threads_max, queue_max)) {}

ThreadPool::~ThreadPool() { ThreadPool::stop(); }

bool ThreadPool::try_run(Job job) {
  {
    const MutexLock lock(impl_->mutex);
    if (impl_->stopping || impl_->queue.size() >= impl_->queue_max) return false;
    impl_->queue.push_back(std::move(job));
    if (impl_->queue.size() > impl_->idle && impl_->running < impl_->threads_max) {
      try {
        impl_->threads.emplace_back([impl = impl_.get()] { impl->work(); });
        ++impl_->running;
      } catch (const std::system_error&) {
        // The system has no thread to give: the others do it, if there are any.
        if (impl_->running == 0) {
          impl_->queue.pop_back();
          return false;
        }
      }
    }
  }
  impl_->wake.notify_one();
  return true;
}

void ThreadPool::resize(std::size_t threads_max) {
  {
    const MutexLock lock(impl_->mutex);
    impl_->threads_max = threads_max;
  }
  impl_->wake.notify_all();
}

void ThreadPool::stop() {
  std::vector<std::thread> threads;
  {
    const MutexLock lock(impl_->mutex);
    impl_->stopping = true;
    threads.swap(impl_->threads);
  }
  impl_->wake.notify_all();
  for (std::thread& thread : threads) thread.join();
}

ThreadPool::Load ThreadPool::load() const {
  const MutexLock lock(impl_->mutex);
  return {.queued = impl_->queue.size(),
          .running = impl_->running - impl_->idle,
          .threads_max = impl_->threads_max};
}

void ThreadPool::Impl::work() {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  for (;;) {
    WorkerPool::Job job;
    {
      const MutexLock lock(mutex);
      ++idle;
      while (queue.empty() && !stopping && running <= threads_max) wake.wait(mutex);
      --idle;
      if (queue.empty() || running > threads_max) {
        --running;
        return;
      }
      job = std::move(queue.front());
      queue.pop_front();
    }
    job();
  }
}

}  // namespace milena
