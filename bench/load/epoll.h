// Epoll: which connections can go on. Edge-triggered for reading and writing, so nothing has to be changed
// while a run goes on.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

namespace milena::bench {

class Epoll {
 public:
  Epoll();
  ~Epoll();
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  // Events of this socket carry `owner`.
  void add(int socket, void* owner);

  static constexpr std::int64_t kForever = -1;
  // What became possible; waits up to timeout_ns for something. Valid until the next call.
  std::span<const epoll_event> wait(std::int64_t timeout_ns);

 private:
  int epoll_;
  std::array<epoll_event, 256> events_;
};

}  // namespace milena::bench
