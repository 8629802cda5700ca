#include "base/async/signals.h"

#include <csignal>
#include <utility>

#include "base/async/asio.h"

namespace milena {

struct StopSignals::Impl {
  Impl(Loop& loop, std::move_only_function<void(int)> on_stop_)
      : signals(loop.io(), SIGTERM, SIGINT), on_stop(std::move(on_stop_)) {}

  asio::signal_set signals;
  std::move_only_function<void(int)> on_stop;
};

StopSignals::StopSignals(Loop& loop, std::move_only_function<void(int)> on_stop)
    : impl_(std::make_unique<Impl>(loop, std::move(on_stop))) {
  impl_->signals.async_wait([impl = impl_.get()](error_code error, int signal) {
    if (error) return;
    impl->signals.clear();
    impl->on_stop(signal);
  });
}

StopSignals::~StopSignals() = default;

void ignore_fatal_io_signals() {
  std::signal(SIGPIPE, SIG_IGN);  // sendfile knows no MSG_NOSIGNAL
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace milena
