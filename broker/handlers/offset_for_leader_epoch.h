// OffsetForLeaderEpoch, versions 2-4: where the records of a leader epoch end (KIP-101, KIP-279, KIP-320).
//
// - The answer names the largest epoch not above the one asked, and the first offset after it; for the
// current epoch
//   that is the log end. Unknown: epoch -1, offset -1.
// - current_leader_epoch is checked: FENCED_LEADER_EPOCH below, UNKNOWN_LEADER_EPOCH above.
#pragma once

#include "broker/handlers/call.h"
#include "broker/partition/partition_finder.h"
#include "protocol/offset_for_leader_epoch.gen.h"

namespace milena::broker {

class OffsetForLeaderEpochHandler {
 public:
  explicit OffsetForLeaderEpochHandler(PartitionFinder& partitions) : partitions_(partitions) {}
  protocol::OffsetForLeaderEpochResponse handle(Call& call,
                                                const protocol::OffsetForLeaderEpochRequest& request);

 private:
  PartitionFinder& partitions_;
};

}  // namespace milena::broker
