// Latch: something that happens once, for threads that wait for it.
//
// Thread-safe. Outlives who opens it: open() touches nothing after a waiter may go on.
#pragma once

#include <condition_variable>

#include "base/mutex.h"

namespace milena {

class Latch {
 public:
  void open();
  bool is_open() const;
  // Blocks until it is open. Broker code waits with Runtime::wait(), so that it waits in the simulator, too.
  void wait();

 private:
  mutable Mutex mutex_;
  std::condition_variable_any opened_;
  bool is_open_ MILENA_GUARDED_BY(mutex_) = false;
};

}  // namespace milena
