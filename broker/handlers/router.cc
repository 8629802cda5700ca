#include "broker/handlers/router.h"

#include <algorithm>

#include "base/assert.h"
#include "protocol/error_code.h"
#include "protocol/frame.h"

namespace milena::broker {

void Router::add(protocol::ApiKey key, std::int16_t max_version, Route route) {
  const auto info =
      std::ranges::find(protocol::kApis, static_cast<std::int16_t>(key), &protocol::ApiInfo::key);
  MILENA_ASSERT(info != protocol::kApis.end(), "routes are for APIs that the schema describes");
  const auto slot = static_cast<std::size_t>(info->key);
  MILENA_ASSERT(slot < kApiKeys && apis_[slot].key < 0, "one route for each API");
  const auto max =
      max_version == kAllVersions ? info->max_advertised : std::min(max_version, info->max_advertised);
  apis_[slot] = {.key = info->key,
                 .min_advertised = info->min_advertised,
                 .min_served = info->min_version,
                 .max_served = max};
  routes_[slot] = std::move(route);
}

std::vector<ServedApi> Router::served() const {
  std::vector<ServedApi> out;
  std::ranges::copy_if(apis_, std::back_inserter(out), [](const ServedApi& api) { return api.key >= 0; });
  return out;
}

void Router::handle(Request& request, Responder responder) {
  const protocol::Request& header = request.header();
  Call call{.request = request,
            .arena = request.arena(),
            .version = header.version,
            .client_id = header.client_id,
            .listener = request.connection().listener,
            .advertised = advertised_.for_connection(request.connection()),
            .now = request.received_at(),
            .wall_ms = clock_.wall_ms()};
  const auto slot = static_cast<std::size_t>(header.api->key);
  if (slot >= kApiKeys || apis_[slot].key < 0) return responder.close_unserved();
  const ServedApi& api = apis_[slot];
  const bool version_served = call.version >= api.min_served && call.version <= api.max_served;
  // ApiVersions answers every version: that is how a client learns which ones there are (KIP-35).
  if (!version_served && api.key != static_cast<std::int16_t>(protocol::ApiKey::kApiVersions)) {
    return responder.close_unserved();
  }
  routes_[slot](call, std::move(responder));
}

}  // namespace milena::broker
