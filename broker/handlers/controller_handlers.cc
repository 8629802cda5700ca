#include "broker/handlers/controller_handlers.h"

#include <utility>

#include "broker/handlers/controller_call.h"

namespace milena::broker {
namespace {

using protocol::ApiKey;

template <class Request, class Response>
void hand_over(Router& router, ApiKey key, ControllerGateway& controller) {
  router.serve<Request>(key, [&controller](Call& call, const Request& request, Responder responder) {
    call_controller<Response>(controller, std::move(responder),
                              {.request = request, .version = call.version});
  });
}

}  // namespace

void serve_controller_requests(Router& router, ControllerGateway& controller) {
  using namespace protocol;
  hand_over<CreateTopicsRequest, CreateTopicsResponse>(router, ApiKey::kCreateTopics, controller);
  hand_over<DeleteTopicsRequest, DeleteTopicsResponse>(router, ApiKey::kDeleteTopics, controller);
  hand_over<CreatePartitionsRequest, CreatePartitionsResponse>(router, ApiKey::kCreatePartitions, controller);
  hand_over<ElectLeadersRequest, ElectLeadersResponse>(router, ApiKey::kElectLeaders, controller);
  hand_over<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
      router, ApiKey::kIncrementalAlterConfigs, controller);
  hand_over<AlterConfigsRequest, AlterConfigsResponse>(router, ApiKey::kAlterConfigs, controller);
  hand_over<UpdateFeaturesRequest, UpdateFeaturesResponse>(router, ApiKey::kUpdateFeatures, controller);
}

}  // namespace milena::broker
