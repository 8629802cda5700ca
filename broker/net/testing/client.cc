#include "broker/net/testing/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"

namespace milena::broker::testing {
namespace {

template <class T>
void append_be(std::string& out, T value) {
  std::byte bytes[sizeof value];
  store_be(bytes, value);
  out.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
}

}  // namespace

std::string request_frame(std::int32_t correlation_id, std::string_view body) {
  std::string out;
  append_be(out, static_cast<std::int32_t>(11 + body.size()));
  append_be(out, std::int16_t{3});
  append_be(out, std::int16_t{4});
  append_be(out, correlation_id);
  append_be(out, std::int16_t{1});
  out += 't';
  out += body;
  return out;
}

std::string frame_of_size(std::int32_t announced, std::string_view bytes) {
  std::string out;
  append_be(out, announced);
  out += bytes;
  return out;
}

Client::Client() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  MILENA_ASSERT(fd_ >= 0, "no socket for a test client");
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int yes = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

Client::Client(std::uint16_t port, const Options& options) : Client() {
  if (options.receive_buffer > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof options.receive_buffer);
  }
  if (!options.bind_to.empty()) {
    sockaddr_in source{};
    source.sin_family = AF_INET;
    ::inet_pton(AF_INET, options.bind_to.c_str(), &source.sin_addr);
    MILENA_ASSERT(::bind(fd_, reinterpret_cast<sockaddr*>(&source), sizeof source) == 0,
                  "cannot bind a test client");
  }
  connect(port);
}

void Client::connect(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  MILENA_ASSERT(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "cannot connect");
}

Client::Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Client::~Client() {
  if (fd_ >= 0) ::close(fd_);
}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::size_t Client::send_some(std::string_view bytes) {
  const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

std::string Client::receive_bytes(std::size_t n) {
  std::string out(n, '\0');
  std::size_t have = 0;
  while (have < n) {
    const ssize_t got = ::recv(fd_, out.data() + have, n - have, 0);
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  out.resize(have);
  return out;
}

std::optional<Response> Client::receive() {
  const std::string prefix = receive_bytes(8);
  if (prefix.size() < 8) return std::nullopt;
  const auto* bytes = reinterpret_cast<const std::byte*>(prefix.data());
  const auto size = static_cast<std::size_t>(load_be<std::int32_t>(bytes));
  Response response{.correlation_id = load_be<std::int32_t>(bytes + 4), .body = receive_bytes(size - 4)};
  if (response.body.size() != size - 4) return std::nullopt;
  return response;
}

bool Client::closed() {
  char byte;
  const ssize_t n = ::recv(fd_, &byte, 1, 0);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

std::size_t Client::readable() const {
  int n = 0;
  ::ioctl(fd_, FIONREAD, &n);
  return static_cast<std::size_t>(n);
}

void Client::shut_down_sending() { ::shutdown(fd_, SHUT_WR); }

void Client::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(fd_, -1));
}

}  // namespace milena::broker::testing
