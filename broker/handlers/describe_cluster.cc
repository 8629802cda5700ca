#include "broker/handlers/describe_cluster.h"

#include "broker/handlers/authorized_operations.h"

namespace milena::broker {

protocol::DescribeClusterResponse DescribeClusterHandler::handle(
    Call& call, const protocol::DescribeClusterRequest& request,
    const controller::MetadataImage& image) const {
  using Response = protocol::DescribeClusterResponse;
  constexpr std::int8_t kBrokers = 1;
  constexpr std::int8_t kControllers = 2;
  Response response;
  if (request.endpoint_type == kControllers) {
    response.error_code = ErrorCode::kMismatchedEndpointType;
    response.error_message = error_message(response.error_code);
    return response;
  }
  if (request.endpoint_type != kBrokers) {
    response.error_code = ErrorCode::kUnsupportedEndpointType;
    response.error_message = error_message(response.error_code);
    return response;
  }
  const ClusterView view(image, self_, call);
  response.cluster_id = cluster_id_;
  auto brokers = call.arena.array<Response::DescribeClusterBroker>(image.brokers.size());
  std::size_t listed = 0;
  for (const auto& [id, registration] : image.brokers) {
    const auto node = view.node(id);
    if (!node || (registration->fenced && !request.include_fenced_brokers)) continue;
    brokers[listed++] = {.broker_id = id,
                         .host = node->host,
                         .port = node->port,
                         .rack = node->rack,
                         .is_fenced = registration->fenced};
  }
  response.brokers = brokers.first(listed);
  if (view.is_alive(self_)) response.controller_id = self_;
  if (request.include_cluster_authorized_operations)
    response.cluster_authorized_operations = kAllClusterOperations;
  return response;
}

}  // namespace milena::broker
