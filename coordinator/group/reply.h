// GroupReply: what the group machine answers, one alternative per kind of request.
#pragma once

#include <variant>

#include "coordinator/runtime/outcome.h"
#include "protocol/consumer_group_describe.gen.h"
#include "protocol/consumer_group_heartbeat.gen.h"
#include "protocol/delete_groups.gen.h"
#include "protocol/describe_groups.gen.h"
#include "protocol/error_code.h"
#include "protocol/heartbeat.gen.h"
#include "protocol/join_group.gen.h"
#include "protocol/leave_group.gen.h"
#include "protocol/list_groups.gen.h"
#include "protocol/offset_commit.gen.h"
#include "protocol/offset_delete.gen.h"
#include "protocol/offset_fetch.gen.h"
#include "protocol/sync_group.gen.h"
#include "protocol/txn_offset_commit.gen.h"

namespace milena::coordinator {

using GroupReply =
    std::variant<std::monostate, protocol::HeartbeatResponse, protocol::JoinGroupResponse,
                 protocol::SyncGroupResponse, protocol::LeaveGroupResponse, protocol::OffsetCommitResponse,
                 protocol::TxnOffsetCommitResponse, protocol::OffsetFetchResponse::OffsetFetchResponseGroup,
                 protocol::OffsetDeleteResponse, protocol::DeleteGroupsResponse,
                 protocol::DescribeGroupsResponse, protocol::ListGroupsResponse,
                 protocol::ConsumerGroupHeartbeatResponse, protocol::ConsumerGroupDescribeResponse>;

using GroupOutcome = Outcome<GroupReply>;

// OffsetFetch, one group at a time: a request may name groups of several shards. Requests before version 8
// are to be brought into this form.
struct FetchOffsets {
  protocol::OffsetFetchRequest::OffsetFetchRequestGroup group;
  bool require_stable = false;
};

// Turns a reply into what its request gets for `error`.
void set_error(GroupReply& reply, ErrorCode error);

// The answers to requests that were refused before the machine saw them.
GroupReply refusal(const protocol::HeartbeatRequest&, ErrorCode error);
GroupReply refusal(const protocol::JoinGroupRequest&, ErrorCode error);
GroupReply refusal(const protocol::SyncGroupRequest&, ErrorCode error);
GroupReply refusal(const protocol::LeaveGroupRequest&, ErrorCode error);
GroupReply refusal(const protocol::OffsetCommitRequest&, ErrorCode error, Arena& memory);
GroupReply refusal(const protocol::TxnOffsetCommitRequest&, ErrorCode error, std::int16_t version,
                   Arena& memory);
GroupReply refusal(const FetchOffsets&, ErrorCode error, std::int16_t version, Arena& memory);
GroupReply refusal(const protocol::OffsetDeleteRequest&, ErrorCode error);
GroupReply refusal(const protocol::DeleteGroupsRequest&, ErrorCode error, Arena& memory);
GroupReply refusal(const protocol::DescribeGroupsRequest&, ErrorCode error, Arena& memory);
GroupReply refusal(const protocol::ListGroupsRequest&, ErrorCode error);
GroupReply refusal(const protocol::ConsumerGroupHeartbeatRequest&, ErrorCode error);
GroupReply refusal(const protocol::ConsumerGroupDescribeRequest&, ErrorCode error, Arena& memory);

}  // namespace milena::coordinator
