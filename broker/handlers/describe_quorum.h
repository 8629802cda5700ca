// DescribeQuorum, versions 0-2: who leads the metadata quorum, who votes, and how far each has read.
//
// Pure functions: any thread. A request is answered for the one partition of the metadata log, alone;
// anything else is UNKNOWN_TOPIC_OR_PARTITION. A replica that does not lead the quorum says
// NOT_LEADER_OR_FOLLOWER.
#pragma once

#include "base/arena.h"
#include "controller/raft/quorum_view.h"
#include "protocol/describe_quorum.gen.h"

namespace milena::broker {

// Views into the request, the view and the arena.
protocol::DescribeQuorumResponse describe_quorum(const protocol::DescribeQuorumRequest& request,
                                                 const controller::QuorumView& view, Arena& arena);

}  // namespace milena::broker
