// QuorumView: the metadata quorum as one of its replicas sees it: what DescribeQuorum tells. A value.
#pragma once

#include <cstdint>
#include <vector>

#include "controller/raft/quorum_config.h"
#include "protocol/types.h"

namespace milena::controller {

struct QuorumView {
  struct Replica {
    ReplicaKey key{};
    protocol::Offset log_end_offset = protocol::kNoOffset;
    std::int64_t last_fetch_ms = -1;  // wall clock; of the leader itself: now
    std::int64_t last_caught_up_ms = -1;
  };

  bool is_leader = false;  // the replica that sees it: what follows is known to the leader only
  protocol::BrokerId leader = protocol::kNoBroker;
  protocol::LeaderEpoch epoch = protocol::kNoLeaderEpoch;
  protocol::Offset high_watermark = protocol::kNoOffset;
  std::vector<Replica> voters{};
  std::vector<Voter> nodes{};  // where the voters listen
};

}  // namespace milena::controller
