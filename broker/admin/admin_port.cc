#include "broker/admin/admin_port.h"

#include <utility>

namespace milena::broker {
namespace {

constexpr unsigned kServiceUnavailable = 503;

HttpServer::Response unavailable(const std::string& why) {
  return {.status = kServiceUnavailable, .body = why + "\n"};
}

}  // namespace

AdminPort::AdminPort(Pages pages, World world)
    : pages_(std::move(pages)),
      world_(world),
      loop_(world.runtime.make_loop(world.clock, "admin")),
      server_(*loop_, HttpServer::Limits{},
              {{"/metrics", [this] { return metrics(); }},
               {"/health/live", [] { return HttpServer::Response{.body = "live\n"}; }},
               {"/health/ready", [this] { return readiness(); }}},
              world.log) {}

std::expected<std::unique_ptr<AdminPort>, std::string> AdminPort::open(const std::string& host,
                                                                       std::uint16_t port, Pages pages,
                                                                       World world) {
  std::unique_ptr<AdminPort> opened(new AdminPort(std::move(pages), world));
  const auto bound = opened->server_.open(host, port);
  if (!bound) return std::unexpected(bound.error());
  opened->port_ = *bound;
  opened->loop_->start();
  opened->server_.start();
  return opened;
}

AdminPort::~AdminPort() {
  if (port_ == 0) return;
  server_.stop(world_.runtime);
  loop_->stop();
  loop_->join();
}

HttpServer::Response AdminPort::metrics() const {
  auto scraped = pages_.metrics();
  return scraped ? *std::move(scraped) : unavailable("the broker starts or stops");
}

HttpServer::Response AdminPort::readiness() const {
  const auto why_not = pages_.why_not_ready();
  return why_not ? unavailable(*why_not) : HttpServer::Response{.body = "ready\n"};
}

}  // namespace milena::broker
