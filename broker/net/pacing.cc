#include "broker/net/pacing.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <string_view>

namespace milena::broker {
namespace {

constexpr std::string_view kUnpaced = "reno";
constexpr std::size_t kNameBytes = 16;  // of the kernel's names, TCP_CA_NAME_MAX

bool use(int socket, std::string_view name) {
  return ::setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(),
                      static_cast<socklen_t>(name.size())) == 0;
}

}  // namespace

void Pacing::avoid_for_accepted(int listening_socket) {
  std::array<char, kNameBytes> name{};
  socklen_t size = name.size() - 1;
  if (::getsockopt(listening_socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) != 0) return;
  const std::string_view system = name.data();
  if (system.starts_with("bbr") && use(listening_socket, kUnpaced)) system_ = system;
}

void Pacing::restore(int accepted_socket) const {
  if (!system_.empty()) use(accepted_socket, system_);
}

}  // namespace milena::broker
