// A blocking HTTP client for tests: one request, the whole answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/net/testing/client.h"

namespace milena::broker::testing {

struct HttpAnswer {
  int status = 0;  // 0: the connection was closed instead
  std::string head;
  std::string body;
};

inline std::string http_request(std::string_view method, std::string_view path, std::string_view more = {}) {
  return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more) +
         "\r\n";
}

// What comes until the peer closes.
inline std::string read_all(Client& client) {
  std::string out;
  for (;;) {
    const std::string more = client.receive_bytes(1);
    if (more.empty()) return out;
    out += more + client.receive_bytes(client.readable());
  }
}

inline HttpAnswer parsed(const std::string& bytes) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  const auto end = bytes.find("\r\n\r\n");
  if (!bytes.starts_with(kVersion) || end == std::string::npos) return {};
  return {.status = std::stoi(bytes.substr(kVersion.size(), 3)),
          .head = bytes.substr(0, end),
          .body = bytes.substr(end + 4)};
}

// On a connection of its own, which is closed after it.
inline HttpAnswer http_get(std::uint16_t port, std::string_view path) {
  Client client(port);
  if (!client.send(http_request("GET", path, "Connection: close\r\n"))) return {};
  return parsed(read_all(client));
}

}  // namespace milena::broker::testing
