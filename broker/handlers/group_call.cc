#include "broker/handlers/group_call.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>

namespace milena::broker {

std::string java_address(std::string_view numeric) {
  const std::string text(numeric.substr(0, numeric.find('%')));  // without the zone
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return "/" + text;
  std::string out = "/";
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    fmt::format_to(std::back_inserter(out), "{}{:x}", i == 0 ? "" : ":", bytes[i] << 8 | bytes[i + 1]);
  }
  return out;
}

coordinator::RequestContext group_context(const Call& call) {
  return {.api_version = call.version,
          .client_id = call.client_id,
          .client_host = call.arena.text(java_address(call.request.connection().peer.host))};
}

}  // namespace milena::broker
