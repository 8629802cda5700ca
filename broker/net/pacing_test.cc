#include "broker/net/pacing.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

namespace milena::broker {
namespace {

std::string congestion_control_of(int socket) {
  std::array<char, 16> name{};
  socklen_t size = name.size() - 1;
  EXPECT_EQ(::getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), &size), 0);
  return name.data();
}

class SocketWith {
 public:
  explicit SocketWith(std::string_view congestion_control) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    usable_ = ::setsockopt(fd_, IPPROTO_TCP, TCP_CONGESTION, congestion_control.data(),
                           static_cast<socklen_t>(congestion_control.size())) == 0;
  }
  SocketWith(const SocketWith&) = delete;
  SocketWith& operator=(const SocketWith&) = delete;
  ~SocketWith() { ::close(fd_); }
  int get() const { return fd_; }
  bool usable() const { return usable_; }

 private:
  const int fd_;
  bool usable_ = false;
};

TEST(Pacing, BbrIsReplacedAndGivenBack) {
  const SocketWith socket("bbr");
  if (!socket.usable()) GTEST_SKIP() << "this kernel has no bbr";
  Pacing pacing;
  pacing.avoid_for_accepted(socket.get());
  EXPECT_EQ(congestion_control_of(socket.get()), "reno");
  pacing.restore(socket.get());
  EXPECT_EQ(congestion_control_of(socket.get()), "bbr");
}

TEST(Pacing, WhatDoesNotPaceStays) {
  const SocketWith socket("reno");
  ASSERT_TRUE(socket.usable());
  Pacing pacing;
  pacing.avoid_for_accepted(socket.get());
  pacing.restore(socket.get());
  EXPECT_EQ(congestion_control_of(socket.get()), "reno");
}

}  // namespace
}  // namespace milena::broker
