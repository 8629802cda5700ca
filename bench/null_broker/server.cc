#include "bench/null_broker/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "bench/null_broker/stop.h"

namespace milena::bench {
namespace {

constexpr std::size_t kFirstCapacity = 256 * 1024;  // resident only as far as it is used
constexpr std::size_t kLargestFrame = 128 << 20;
constexpr std::int16_t kProduce = 0;
constexpr std::int16_t kFetch = 1;

std::int64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

int listen_on(std::uint16_t& port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) stop_with_errno("socket");
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // What is accepted inherits it: no pacing within one machine, where the system would use BBR.
  setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket, generic, size) != 0 || ::listen(socket, 4096) != 0 ||
      ::getsockname(socket, generic, &size) != 0) {
    stop_with_errno("listen");
  }
  port = ntohs(address.sin_port);
  return socket;
}

}  // namespace

Server::Server(std::uint16_t port, std::string directory)
    : listener_(listen_on(port)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      port_(port),
      topics_(std::move(directory)),
      hot_(topics_),
      control_(topics_, port) {}

Server::~Server() {
  while (!connections_.empty()) drop(connections_.front());
  ::close(epoll_);
  ::close(listener_);
}

void Server::run(int stop) {
  // The pointers of these two cannot be those of connections.
  epoll_event event{.events = EPOLLIN, .data = {.ptr = &listener_}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  event.data.ptr = &epoll_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, stop, &event);
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
    for (int i = 0; i < count; ++i) {
      const epoll_event& one = events[static_cast<std::size_t>(i)];
      if (one.data.ptr == &epoll_) return;
      if (one.data.ptr == &listener_) {
        accept_all();
        continue;
      }
      auto& connection = *static_cast<Connection*>(one.data.ptr);
      if (!connection.sending) {
        read_some(connection);
      } else if (!flush(connection) ||
                 (!connection.sending && !connection.parked && !serve(connection, false))) {
        drop(connection);
      }
    }
    if (!parked_.empty()) retry_parked();
  }
}

void Server::accept_all() {
  for (;;) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection& connection = connections_.emplace_back();
    connection.self = std::prev(connections_.end());
    connection.socket = socket;
    connection.capacity = kFirstCapacity;
    connection.in = std::make_unique_for_overwrite<std::byte[]>(kFirstCapacity);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
  }
}

void Server::read_some(Connection& connection) {
  const ssize_t got = ::recv(connection.socket, connection.in.get() + connection.used,
                             connection.capacity - connection.used, 0);
  if (got > 0) {
    connection.used += static_cast<std::size_t>(got);
    if (!connection.parked && !serve(connection, false)) drop(connection);
  } else if (got == 0 || errno != EAGAIN) {
    drop(connection);
  }
}

bool Server::serve(Connection& connection, bool wait_is_over) {
  std::size_t at = 0;
  while (connection.used - at >= 4) {
    const auto size = static_cast<std::size_t>(load_be<std::uint32_t>(connection.in.get() + at));
    if (size < 8 || size > kLargestFrame) return false;
    if (connection.used - at < 4 + size) {
      if (4 + size > connection.capacity) {
        connection.capacity = size + kFirstCapacity;
        auto larger = std::make_unique_for_overwrite<std::byte[]>(connection.capacity);
        std::memcpy(larger.get(), connection.in.get(), connection.used);
        connection.in = std::move(larger);
      }
      break;
    }
    const Served served = serve_one(connection, {connection.in.get() + at + 4, size}, wait_is_over);
    if (served == Served::kMalformed) return false;
    if (served == Served::kLater) break;
    wait_is_over = false;
    at += 4 + size;
  }
  if (at > 0) {
    connection.used -= at;
    std::memmove(connection.in.get(), connection.in.get() + at, connection.used);
  }
  return connection.answers.empty() || flush(connection);
}

Server::Served Server::serve_one(Connection& connection, MutableBytes frame, bool wait_is_over) {
  const auto key = load_be<std::int16_t>(frame.data());
  if (key == kProduce) {
    appended_ = true;
    return hot_.produce(frame, connection.answers) ? Served::kYes : Served::kMalformed;
  }
  if (key != kFetch) return control_.answer(frame, connection.answers) ? Served::kYes : Served::kMalformed;
  const HotRequests::FetchOutcome outcome = hot_.fetch(frame, connection.answers, wait_is_over);
  if (outcome.what == HotRequests::Fetched::kMalformed) return Served::kMalformed;
  if (outcome.what == HotRequests::Fetched::kAnswered) return Served::kYes;
  if (!connection.parked) {
    connection.parked = true;
    connection.deadline_ms = now_ms() + outcome.wait_ms;
    parked_.push_back(&connection);
  }
  return Served::kLater;
}

bool Server::flush(Connection& connection) {
  const AnswerQueue::Sent sent = connection.answers.flush(connection.socket);
  if (sent == AnswerQueue::Sent::kBroken) return false;
  const bool sending = sent == AnswerQueue::Sent::kSome;
  if (sending != connection.sending) {
    connection.sending = sending;
    epoll_event event{.events = sending ? EPOLLOUT : EPOLLIN, .data = {.ptr = &connection}};
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket, &event);
  }
  return true;
}

void Server::retry_parked() {
  const std::int64_t now = now_ms();
  std::vector<Connection*> waiting;
  waiting.swap(parked_);
  for (Connection* connection : waiting) {
    const bool wait_is_over = connection->deadline_ms <= now;
    if (!appended_ && !wait_is_over) {
      parked_.push_back(connection);
      continue;
    }
    // Parks again, with a deadline of its own, if there is nothing for it.
    const std::int64_t deadline_ms = connection->deadline_ms;
    connection->parked = false;
    if (!serve(*connection, wait_is_over)) {
      drop(*connection);
    } else if (connection->parked) {
      connection->deadline_ms = std::min(connection->deadline_ms, deadline_ms);
    }
  }
  appended_ = false;
}

int Server::wait_ms() const {
  if (parked_.empty()) return -1;
  const auto first = std::ranges::min_element(parked_, {}, &Connection::deadline_ms);
  return static_cast<int>(std::max<std::int64_t>(0, (*first)->deadline_ms - now_ms())) + 1;
}

void Server::drop(Connection& connection) {
  std::erase(parked_, &connection);
  ::close(connection.socket);
  connections_.erase(connection.self);
}

}  // namespace milena::bench
