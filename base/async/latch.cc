#include "base/async/latch.h"

namespace milena {

void Latch::open() {
  const MutexLock lock(mutex_);
  is_open_ = true;
  opened_.notify_all();  // with the lock: a waiter that goes on may destroy the latch
}

bool Latch::is_open() const {
  const MutexLock lock(mutex_);
  return is_open_;
}

void Latch::wait() {
  const MutexLock lock(mutex_);
  while (!is_open_) opened_.wait(mutex_);
}

}  // namespace milena
