// DescribeTopicPartitions, version 0: topics page by page, with eligible leader replicas (KIP-966).
//
// - Topics come in order of name. An empty list asks for all. At most response_partition_limit partitions are
// listed,
//   and never more than max.request.partition.size.limit; next_cursor says where to go on.
// - A cursor outside the asked topics, or with a negative partition, is INVALID_REQUEST.
#pragma once

#include <cstdint>

#include "broker/handlers/call.h"
#include "broker/handlers/cluster_view.h"
#include "protocol/describe_topic_partitions.gen.h"

namespace milena::broker {

class DescribeTopicPartitionsHandler {
 public:
  DescribeTopicPartitionsHandler(BrokerId self, std::int32_t partition_limit)
      : self_(self), partition_limit_(partition_limit) {}
  Result<protocol::DescribeTopicPartitionsResponse> handle(
      Call& call, const protocol::DescribeTopicPartitionsRequest& request,
      const controller::MetadataImage& image) const;

 private:
  const BrokerId self_;
  const std::int32_t partition_limit_;
};

}  // namespace milena::broker
