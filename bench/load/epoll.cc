#include "bench/load/epoll.h"

#include <sys/prctl.h>
#include <unistd.h>

#include "bench/load/fail.h"
#include "bench/load/time.h"

namespace milena::bench {

Epoll::Epoll() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) fail_run_with_errno("epoll_create1");
  // Open loops wait for moments that are microseconds apart; the kernel's slack is 50 of them.
  prctl(PR_SET_TIMERSLACK, 1);
}

Epoll::~Epoll() { ::close(epoll_); }

void Epoll::add(int socket, void* owner) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = owner}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) fail_run_with_errno("epoll_ctl");
}

std::span<const epoll_event> Epoll::wait(std::int64_t timeout_ns) {
  const timespec timeout{.tv_sec = timeout_ns / kSecond, .tv_nsec = timeout_ns % kSecond};
  const int count = epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()),
                                 timeout_ns < 0 ? nullptr : &timeout, nullptr);
  return {events_.data(), static_cast<std::size_t>(count < 0 ? 0 : count)};
}

}  // namespace milena::bench
