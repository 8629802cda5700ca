// DescribeConfigs, versions 1-4: configuration with its values, sources and synonyms (KIP-226, KIP-569).
//
// - Topics: every key, from the topic, the broker's dynamic and static layers, or the default.
// - Brokers: every key with what is in force; this broker by its id; "" for the cluster-wide dynamic
// defaults. Another id is INVALID_REQUEST.
// - Groups: every key, from the group or the broker's keys of the same meaning. Any name but "" will do.
// - Other kinds of resource have no configuration here: INVALID_REQUEST.
// - No keys, or an empty list, asks for all. Sensitive values are null.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "broker/config/broker_config.h"
#include "broker/config/dynamic_config.h"
#include "broker/handlers/call.h"
#include "controller/config/topic_configs.h"
#include "controller/image/metadata_image.h"
#include "protocol/describe_configs.gen.h"

namespace milena::broker {

class DescribeConfigsHandler {
 public:
  // Both outlive the handler. `client_ports`: where the listeners for clients listen.
  DescribeConfigsHandler(const BrokerConfig& config, const DynamicConfig& configuration,
                         std::vector<std::uint16_t> client_ports)
      : config_(config), configuration_(configuration), client_ports_(std::move(client_ports)) {}
  protocol::DescribeConfigsResponse handle(Call& call, const protocol::DescribeConfigsRequest& request,
                                           const controller::MetadataImage& image) const;

 private:
  using Asked = protocol::DescribeConfigsRequest::DescribeConfigsResource;
  using Answer = protocol::DescribeConfigsResponse::DescribeConfigsResult;

  controller::ConfigLayers layers_of(const DynamicConfig::State& state) const;
  void describe_topic_resource(Call& call, const protocol::DescribeConfigsRequest& request,
                               const Asked& asked, const controller::MetadataImage& image,
                               Answer& answer) const;
  void describe_broker_resource(Call& call, const protocol::DescribeConfigsRequest& request,
                                const Asked& asked, Answer& answer) const;
  void describe_group_resource(Call& call, const protocol::DescribeConfigsRequest& request,
                               const Asked& asked, const controller::MetadataImage& image,
                               Answer& answer) const;

  const BrokerConfig& config_;
  const DynamicConfig& configuration_;
  const std::vector<std::uint16_t> client_ports_;
};

}  // namespace milena::broker
