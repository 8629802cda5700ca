// ListOffsets, versions 1-11: which offset is first, last, the latest in time, or the first at or after a
// time.
//
// - Special timestamps: -1 latest (the high watermark, or the last stable offset under read_committed), -2
// earliest,
//   -3 largest timestamp (v7), -4 earliest local (v8, the same as -2 here), -5 latest tiered (v9) and -6
//   earliest pending upload (v11), which answer -1: nothing is tiered. Other negative ones, or one that the
//   version does not know: UNSUPPORTED_VERSION.
// - A partition listed twice: INVALID_REQUEST, as in Kafka.
// - What lies beyond the last readable offset is not found: offset -1, timestamp -1.
#pragma once

#include "broker/handlers/call.h"
#include "broker/partition/partition_finder.h"
#include "protocol/list_offsets.gen.h"

namespace milena::broker {

class ListOffsetsHandler {
 public:
  explicit ListOffsetsHandler(PartitionFinder& partitions) : partitions_(partitions) {}
  protocol::ListOffsetsResponse handle(Call& call, const protocol::ListOffsetsRequest& request);

 private:
  using Asked = protocol::ListOffsetsRequest::ListOffsetsTopic::ListOffsetsPartition;
  using Answer = protocol::ListOffsetsResponse::ListOffsetsTopicResponse::ListOffsetsPartitionResponse;

  Result<Answer> look_up(const Call& call, const protocol::ListOffsetsRequest& request,
                         std::string_view topic, const Asked& asked);

  PartitionFinder& partitions_;
};

}  // namespace milena::broker
