// AdminPort: metrics and health checks of one broker over HTTP, with the loop that serves them.
//
// Owned by Broker. The loop is its own, so that no client waits while a scrape is put together, and health
// checks are answered whatever the other loops are at. open() and the destructor on a thread that is none of
// a loop; the destructor waits for a scrape that is under way. `pages` run on the loop, from open() on.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/async/runtime.h"
#include "base/clock.h"
#include "base/log.h"
#include "broker/admin/http_server.h"

namespace milena::broker {

class AdminPort {
 public:
  struct Pages {
    // The text of a scrape and what it is called; none while there is nothing to tell.
    std::function<std::optional<HttpServer::Response>()> metrics;
    // Why clients are not served; none when they are.
    std::function<std::optional<std::string>()> why_not_ready;
  };
  struct World {
    const Clock& clock;
    const Logger& log;
    Runtime& runtime;
  };

  // Binds the port, 0: a free one, and serves. The error is a sentence.
  static std::expected<std::unique_ptr<AdminPort>, std::string> open(const std::string& host,
                                                                     std::uint16_t port, Pages pages,
                                                                     World world);
  ~AdminPort();
  AdminPort(const AdminPort&) = delete;
  AdminPort& operator=(const AdminPort&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  AdminPort(Pages pages, World world);
  HttpServer::Response metrics() const;
  HttpServer::Response readiness() const;

  const Pages pages_;
  const World world_;
  const std::unique_ptr<Loop> loop_;
  HttpServer server_;
  std::uint16_t port_ = 0;  // 0: not bound
};

}  // namespace milena::broker
