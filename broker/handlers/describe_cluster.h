// DescribeCluster, versions 0-2: the cluster id, the brokers, the controller (KIP-700, KIP-919, KIP-1073).
//
// - endpoint_type 1 asks for brokers, the only kind this listener knows; 2 (controllers) answers
//   MISMATCHED_ENDPOINT_TYPE, anything else UNSUPPORTED_ENDPOINT_TYPE, as Kafka does on a broker listener.
// - From v2 on fenced brokers are listed on request.
#pragma once

#include <string>

#include "broker/handlers/call.h"
#include "broker/handlers/cluster_view.h"
#include "protocol/describe_cluster.gen.h"

namespace milena::broker {

class DescribeClusterHandler {
 public:
  DescribeClusterHandler(std::string cluster_id, BrokerId self)
      : cluster_id_(std::move(cluster_id)), self_(self) {}
  protocol::DescribeClusterResponse handle(Call& call, const protocol::DescribeClusterRequest& request,
                                           const controller::MetadataImage& image) const;

 private:
  const std::string cluster_id_;
  const BrokerId self_;
};

}  // namespace milena::broker
