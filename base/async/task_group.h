// TaskGroup: owns the background coroutines of one object: names them, cancels them, waits for the last one.
//
// Belongs to one loop. Make it the last member of its owner and await stop() before the owner dies: the
// destructor aborts when a task still runs. An exception that leaves a task is a bug and aborts, too.
#pragma once

#include <list>
#include <string>

#include "base/async/task.h"

namespace milena {

class TaskGroup {
 public:
  explicit TaskGroup(Loop& loop);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  // On the loop's thread. `name` is for the message of a task that failed.
  void spawn(std::string name, Task<> task);
  // Cancels what every task waits for and waits until all have returned.
  Task<> stop();
  bool empty() const { return tasks_.empty(); }

 private:
  asio::io_context& io_;
  asio::steady_timer none_left_;
  std::list<asio::cancellation_signal> tasks_;
};

}  // namespace milena
