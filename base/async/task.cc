#include "base/async/task.h"

#include "base/saturating.h"

namespace milena {

Task<bool> sleep_for(Loop& loop, Instant duration) {
  asio::steady_timer never(loop.io(), asio::steady_timer::time_point::max());
  bool due = false;
  Timer timer([&never, &due] {
    due = true;
    never.cancel();
  });
  loop.arm(timer, after(loop.now(), duration));
  co_await never.async_wait(kTry);
  co_return due;
}

}  // namespace milena
