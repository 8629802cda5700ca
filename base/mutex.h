// Mutex with clang's thread-safety annotations: the compiler checks that guarded members are touched under
// it.
//
// House rule: these are leaf locks. Never held across co_await, never two at once; but for LimitedFs, which
// says how that cannot end in a circle.
#pragma once

#include <mutex>

#define MILENA_GUARDED_BY(mutex) __attribute__((guarded_by(mutex)))
#define MILENA_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define MILENA_EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))

namespace milena {

class __attribute__((capability("mutex"))) Mutex {
 public:
  void lock() __attribute__((acquire_capability())) { mutex_.lock(); }
  // False when it is taken, also by this thread: pthread_mutex_trylock answers EBUSY then (POSIX).
  bool try_lock() __attribute__((try_acquire_capability(true))) { return mutex_.try_lock(); }
  void unlock() __attribute__((release_capability())) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class __attribute__((scoped_lockable)) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) __attribute__((acquire_capability(mutex))) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() __attribute__((release_capability())) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace milena
