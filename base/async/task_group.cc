#include "base/async/task_group.h"

#include <exception>
#include <utility>

#include "base/assert.h"

namespace milena {
namespace {

// A task that was cancelled between two waits is ended by Asio with this exception at the next one.
bool is_cancellation(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

TaskGroup::TaskGroup(Loop& loop) : io_(loop.io()), none_left_(io_, asio::steady_timer::time_point::max()) {}

TaskGroup::~TaskGroup() { MILENA_ASSERT(tasks_.empty(), "a task outlives the group that owns it"); }

void TaskGroup::spawn(std::string name, Task<> task) {
  const auto self = tasks_.emplace(tasks_.end());
  auto finished = [this, self, name = std::move(name)](const std::exception_ptr& failure) {
    MILENA_ASSERT(!failure || is_cancellation(failure), name.c_str());
    tasks_.erase(self);
    if (tasks_.empty()) none_left_.cancel();
  };
  asio::co_spawn(io_, std::move(task), asio::bind_cancellation_slot(self->slot(), std::move(finished)));
}

Task<> TaskGroup::stop() {
  for (auto& task : tasks_) task.emit(asio::cancellation_type::terminal);
  while (!tasks_.empty()) co_await none_left_.async_wait(kTry);
}

}  // namespace milena
