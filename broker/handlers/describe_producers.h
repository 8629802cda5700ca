// DescribeProducers, version 0: who writes to a partition with a producer id (KIP-664).
#pragma once

#include "broker/handlers/call.h"
#include "broker/partition/partition_finder.h"
#include "protocol/describe_producers.gen.h"

namespace milena::broker {

class DescribeProducersHandler {
 public:
  explicit DescribeProducersHandler(PartitionFinder& partitions) : partitions_(partitions) {}
  protocol::DescribeProducersResponse handle(Call& call, const protocol::DescribeProducersRequest& request);

 private:
  PartitionFinder& partitions_;
};

}  // namespace milena::broker
