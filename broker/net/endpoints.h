// What to bind for the host and port of a listener.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "base/async/asio.h"
#include "base/async/loop.h"

namespace milena::broker {

// To be tried one after the other. "Every address" (an empty host, 0.0.0.0 or ::) is one IPv6 socket that
// takes IPv4 too, as in Kafka, or IPv4 alone on a machine without IPv6. The error is a sentence. Blocks when
// a name has to be resolved.
std::expected<std::vector<asio::ip::tcp::endpoint>, std::string> endpoints_of(Loop& loop,
                                                                              const std::string& host,
                                                                              std::uint16_t port);

}  // namespace milena::broker
