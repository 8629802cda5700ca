#include "bench/load/sockets.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/fail.h"

namespace milena::bench {
namespace {

void wait_for(int socket, short what) {
  pollfd one{.fd = socket, .events = what, .revents = 0};
  if (::poll(&one, 1, 60'000) == 0) fail_run("the broker did not answer for a minute");
}

}  // namespace

Address parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) fail_run("{} is not HOST:PORT", text);
  return {text.substr(0, colon), text.substr(colon + 1)};
}

int connect_to(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found); error != 0) {
    fail_run("{}: {}", address.host, gai_strerror(error));
  }
  const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) fail_run_with_errno("socket");
  if (::connect(socket, found->ai_addr, found->ai_addrlen) != 0) fail_run_with_errno("connect");
  freeaddrinfo(found);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(socket, F_SETFL, O_NONBLOCK);
  return socket;
}

void send_all(int socket, BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (sent < 0 && errno == EAGAIN) {
      wait_for(socket, POLLOUT);
    } else if (sent < 0) {
      fail_run_with_errno("send");
    }
  }
}

void receive_all(int socket, MutableBytes into) {
  while (!into.empty()) {
    const ssize_t got = ::recv(socket, into.data(), into.size(), 0);
    if (got > 0) {
      into = into.subspan(static_cast<std::size_t>(got));
    } else if (got == 0) {
      fail_run("the broker closed a connection");
    } else if (errno == EAGAIN) {
      wait_for(socket, POLLIN);
    } else {
      fail_run_with_errno("receive");
    }
  }
}

void allow_many_sockets() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace milena::bench
