// HttpServer: a few pages over HTTP/1.1: metrics and health checks.
//
// Everything runs on the loop it is given, the pages included: a long page holds up the other requests of
// this server, so the loop is none that serves Kafka's clients. Nobody is authenticated. GET and HEAD only;
// the body of a request is not read, a request that announces one is the last of its connection.
//
// open() before the loop starts, start() and stop() from a thread that is none of a loop; stop() before the
// destructor, while the loop runs. Always: each limit below holds, and at the limit of connections a new one
// is served and the one that has been silent longest is closed, so that a crowd of idle peers keeps no health
// check out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/async/loop.h"
#include "base/async/runtime.h"
#include "base/clock.h"
#include "base/log.h"

namespace milena::broker {

class HttpServer {
 public:
  struct Limits {
    std::size_t connections = 32;
    std::size_t header_bytes = 8 * 1024;  // of a request
    Instant idle{120'000};                // a connection without a request
    Instant request{10'000};              // a request, from its first byte to the end of its header
    Instant response{30'000};             // until the peer has taken an answer
  };
  struct Response {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
  };
  using Page = std::function<Response()>;

  // `loop` and `log` outlive it. `pages` by path, "/metrics".
  HttpServer(Loop& loop, Limits limits, std::map<std::string, Page, std::less<>> pages, const Logger& log);
  ~HttpServer();

  // Binds a port, 0: a free one. Connections wait until start(). Returns the port; the error is a sentence.
  std::expected<std::uint16_t, std::string> open(const std::string& host, std::uint16_t port);
  void start();
  // Closes every connection and waits for the last one.
  void stop(Runtime& runtime);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace milena::broker
