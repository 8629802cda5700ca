#include "broker/net/endpoints.h"

#include <fmt/format.h>

namespace milena::broker {

using asio::ip::tcp;

std::expected<std::vector<tcp::endpoint>, std::string> endpoints_of(Loop& loop, const std::string& host,
                                                                    std::uint16_t port) {
  if (host.empty() || host == "0.0.0.0" || host == "::") {
    return std::vector{tcp::endpoint(tcp::v6(), port), tcp::endpoint(tcp::v4(), port)};
  }
  error_code error;
  if (const auto address = asio::ip::make_address(host, error); !error) {
    return std::vector{tcp::endpoint(address, port)};
  }
  tcp::resolver resolver(loop.io());
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error) return std::unexpected(fmt::format("cannot resolve {}: {}", host, error.message()));
  std::vector<tcp::endpoint> endpoints;
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  return endpoints;
}

}  // namespace milena::broker
