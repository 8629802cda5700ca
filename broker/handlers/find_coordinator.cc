#include "broker/handlers/find_coordinator.h"

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

constexpr std::int8_t kGroup = 0;
constexpr std::int8_t kTransaction = 1;
constexpr std::int8_t kShare = 2;

ErrorCode coordinator_error(std::int8_t key_type, int version) {
  const bool known = key_type == kGroup || key_type == kTransaction || (key_type == kShare && version >= 6);
  return known ? ErrorCode::kCoordinatorNotAvailable : ErrorCode::kInvalidRequest;
}

}  // namespace

protocol::FindCoordinatorResponse find_coordinator(Call& call,
                                                   const protocol::FindCoordinatorRequest& request) {
  using protocol::FindCoordinatorResponse;
  const ErrorCode error = coordinator_error(request.key_type, call.version);
  FindCoordinatorResponse response;
  if (call.version < 4) {
    response.error_code = error;
    response.error_message = error_message(error);
    response.node_id = protocol::kNoBroker;
    response.port = -1;
    return response;
  }
  response.coordinators =
      call.arena.array<FindCoordinatorResponse::Coordinator>(request.coordinator_keys.size());
  for (std::size_t i = 0; i < request.coordinator_keys.size(); ++i) {
    response.coordinators[i] = {.key = request.coordinator_keys[i],
                                .node_id = protocol::kNoBroker,
                                .host = "",
                                .port = -1,
                                .error_code = error,
                                .error_message = error_message(error)};
  }
  return response;
}

}  // namespace milena::broker
