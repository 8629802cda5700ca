#include "broker/handlers/api_versions.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool valid_software_name(std::string_view name) {
  return !name.empty() && is_alphanumeric(name.front()) && is_alphanumeric(name.back()) &&
         std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; });
}

}  // namespace

void ApiVersionsHandler::handle(Call& call, Responder responder) const {
  if (call.version < 0 || call.version > kMaxVersion) {
    auto response = answer(call);
    response.error_code = ErrorCode::kUnsupportedVersion;
    call.request.count_error(response.error_code);
    return responder.send_frame(
        protocol::encode_response(response, 0, call.request.header().correlation_id, call.arena));
  }
  const auto request = protocol::decode<ApiVersionsRequest>(call.request.body(), call.version, call.arena);
  if (!request) return responder.close("malformed ApiVersions");
  if (call.version >= 3) {
    if (!valid_software_name(request->client_software_name) ||
        !valid_software_name(request->client_software_version)) {
      return responder.send(ApiVersionsResponse{.error_code = ErrorCode::kInvalidRequest});
    }
    auto& connection = call.request.connection();
    connection.client_software_name = request->client_software_name;
    connection.client_software_version = request->client_software_version;
    connection.client_software_count.reset();  // it may say another name now
    connection.client_software_count =
        client_software_.count(request->client_software_name, request->client_software_version);
  }
  responder.send(answer(call));
}

ApiVersionsResponse ApiVersionsHandler::answer(Call& call) const {
  ApiVersionsResponse response;
  response.api_keys = call.arena.array<ApiVersionsResponse::ApiVersion>(apis_.size());
  for (std::size_t i = 0; i < apis_.size(); ++i) {
    response.api_keys[i] = {
        .api_key = apis_[i].key, .min_version = apis_[i].min_advertised, .max_version = apis_[i].max_served};
  }

  auto supported = call.arena.array<ApiVersionsResponse::SupportedFeatureKey>(supported_.size());
  std::size_t count = 0;
  for (const auto& [name, range] : supported_) {
    if (range.min == 0 && call.version < 4) continue;
    supported[count++] = {.name = name, .min_version = range.min, .max_version = range.max};
  }
  response.supported_features = supported.first(count);

  const auto image = metadata_.image();
  response.finalized_features_epoch = image->provenance.offset.value;
  auto finalized = call.arena.array<ApiVersionsResponse::FinalizedFeatureKey>(image->features.size());
  count = 0;
  for (const auto& [name, level] : image->features) {
    if (level == 0 || !supported_.contains(name)) continue;
    finalized[count++] = {
        .name = call.arena.text(name), .max_version_level = level, .min_version_level = level};
  }
  response.finalized_features = finalized.first(count);
  return response;
}

}  // namespace milena::broker
