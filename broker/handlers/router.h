// Router: which handler serves which API in which versions. The ApiVersions answer is made from this table,
// so what is advertised is what is served.
//
// Filled once at start, then read by every event loop.
#pragma once

#include <array>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "broker/handlers/advertised_address.h"
#include "broker/handlers/call.h"
#include "broker/net/request.h"
#include "protocol/api.gen.h"

namespace milena::broker {

// One API as this broker serves it: the versions it tells clients, and those it answers. They differ for
// Produce only, where Kafka advertises versions that it refuses (KAFKA-18659).
struct ServedApi {
  std::int16_t key = -1;  // -1: not served
  std::int16_t min_advertised = 0;
  std::int16_t min_served = 0;
  std::int16_t max_served = 0;
};

class Router final : public RequestHandler {
 public:
  static constexpr std::size_t kApiKeys = 128;

  Router(const Clock& clock, const AdvertisedAddress& advertised) : clock_(clock), advertised_(advertised) {}

  // Serves M's API with `handler(Call&, const M&, Responder)`, in all versions that kApis advertises, or in
  // those up to max_version.
  template <class M, class Handler>
  void serve(protocol::ApiKey key, Handler handler, std::int16_t max_version = kAllVersions) {
    add(key, max_version, [handler = std::move(handler)](Call& call, Responder responder) mutable {
      const auto message = protocol::decode<M>(call.request.body(), call.version, call.arena);
      if (!message) return responder.close(message.error().why);
      handler(call, *message, std::move(responder));
    });
  }
  // The same for handlers that answer at once: `handler(Call&, const M&)` returns the response.
  template <class M, class Handler>
  void answer(protocol::ApiKey key, Handler handler, std::int16_t max_version = kAllVersions) {
    serve<M>(
        key,
        [handler = std::move(handler)](Call& call, const M& message, Responder responder) mutable {
          responder.send(handler(call, message));
        },
        max_version);
  }

  // For a handler that decodes the request itself: `handler(Call&, Responder)`.
  template <class Handler>
  void serve_undecoded(protocol::ApiKey key, Handler handler, std::int16_t max_version = kAllVersions) {
    add(key, max_version, std::move(handler));
  }

  // In order of keys.
  std::vector<ServedApi> served() const;

  void handle(Request& request, Responder responder) override;

 private:
  static constexpr std::int16_t kAllVersions = -1;
  using Route = std::move_only_function<void(Call&, Responder)>;

  void add(protocol::ApiKey key, std::int16_t max_version, Route route);

  const Clock& clock_;
  const AdvertisedAddress& advertised_;
  std::array<ServedApi, kApiKeys> apis_{};
  std::array<Route, kApiKeys> routes_{};
};

}  // namespace milena::broker
