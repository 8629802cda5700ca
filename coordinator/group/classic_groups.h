// ClassicGroups: what members of classic groups may do, and what their silence does.
//
// Part of GroupMachine. Verbs decide on a group that has a classic body; they change its soft state (who has
// joined, who waits, timers) directly and everything else through records. Rules and error codes are those of
// Kafka 4.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/group/group_store.h"
#include "coordinator/group/reply.h"
#include "coordinator/group/request_context.h"
#include "protocol/group_metadata_record.gen.h"

namespace milena::coordinator {

// A new member that does not come back for its JoinGroup answer is gone after this long, whatever its session
// timeout: it cannot send heartbeats yet, and clients that gave up would fill the group with ghosts.
inline constexpr std::int32_t kNewMemberJoinTimeoutMs = 5 * 60 * 1000;

// How long a rebalance that nobody can lead waits at least, before it looks again who is there.
inline constexpr std::int32_t kAbsentLeaderRetryMs = 1'000;

// Unclaimed member ids that one group keeps. Kafka has no bound; they would let one client fill the memory.
inline constexpr std::size_t kMaxPendingMembers = 10'000;

class ClassicGroups {
 public:
  explicit ClassicGroups(GroupStore& store) : store_(store) {}

  void join(Group& group, ReplyToken token, const RequestContext& context,
            const protocol::JoinGroupRequest& request, GroupOutcome& out);
  void sync(Group& group, ReplyToken token, const protocol::SyncGroupRequest& request, GroupOutcome& out);
  ErrorCode heartbeat(Group& group, const protocol::HeartbeatRequest& request);
  // One entry per member of the request; the group rebalances once for all.
  void leave(Group& group, const protocol::LeaveGroupRequest& request,
             std::span<protocol::LeaveGroupResponse::MemberResponse> results, GroupOutcome& out);
  // May this member commit now? If so its session is extended, where commits count as signs of life.
  ErrorCode check_commit(Group& group, std::string_view member_id,
                         std::optional<std::string_view> instance_id, std::int32_t generation,
                         bool transactional);

  // Timers.
  void session_expired(Group& group, std::string_view member_id, GroupOutcome& out);
  void pending_expired(Group& group, std::string_view member_id, GroupOutcome& out);
  void join_expired(Group& group, GroupOutcome& out) { complete_join(group, out); }
  void initial_delay_over(Group& group, GroupOutcome& out);
  void sync_expired(Group& group, GroupOutcome& out);

  // The log's word on the group; creates the body if need be.
  void replay(Group& group, const protocol::GroupMetadataValue& value);
  // After loading: time passes for the members from here on.
  void loaded(Group& group);
  void prepare_rebalance(Group& group, RebalanceCause cause, GroupOutcome& out);
  // Answers everyone who waits, with this error.
  void answer_all(Group& group, ErrorCode error, GroupOutcome& out);

 private:
  void join_as_new(Group& group, ReplyToken token, const RequestContext& context,
                   const protocol::JoinGroupRequest& request, GroupOutcome& out);
  void join_again(Group& group, ReplyToken token, const RequestContext& context,
                  const protocol::JoinGroupRequest& request, GroupOutcome& out);
  void add_member(Group& group, std::string member_id, ReplyToken token, const RequestContext& context,
                  const protocol::JoinGroupRequest& request, GroupOutcome& out);
  void update_member(Group& group, ClassicMember& member, ReplyToken token,
                     const protocol::JoinGroupRequest& request, GroupOutcome& out);
  // A static member is back under a new member id (KIP-345).
  void replace_static(Group& group, ClassicMember& member, std::string new_id, ReplyToken token,
                      const RequestContext& context, const protocol::JoinGroupRequest& request,
                      GroupOutcome& out);
  void replace_static_in_stable(Group& group, ClassicMember& member, std::string new_id, ReplyToken token,
                                const RequestContext& context, const protocol::JoinGroupRequest& request,
                                std::vector<ClassicProtocol> protocols, GroupOutcome& out);

  void rebalance_or_complete(Group& group, RebalanceCause cause, GroupOutcome& out);
  void maybe_complete_join(Group& group, GroupOutcome& out);
  void complete_join(Group& group, GroupOutcome& out);
  void begin_generation(Group& group, GroupOutcome& out);
  void store_assignment(Group& group, const protocol::SyncGroupRequest& request, GroupOutcome& out);

  bool accepts(const ClassicGroup& group, std::string_view member_id) const;
  // An id for a new member: the prefix says to people who it is, the rest is random.
  std::string fresh_member_id(const ClassicGroup& group, std::string_view prefix) const;
  ErrorCode validate(ClassicGroup& group, std::string_view member_id,
                     std::optional<std::string_view> instance_id) const;
  // The member's session starts anew.
  void extend_session(ClassicMember& member) { member.session.arm(store_.after(member.session_timeout_ms)); }
  void await_join(ClassicGroup& group, ClassicMember& member, ReplyToken token, GroupOutcome& out);
  // Answers whoever waits on the member.
  void dismiss(ClassicGroup& group, ClassicMember& member, ErrorCode error, GroupOutcome& out);
  void remove_and_rebalance(Group& group, ClassicMember& member, GroupOutcome& out);

  GroupStore& store_;
};

// The record of the group's generation; assignments are filled in by the caller, members in the group's
// order.
protocol::GroupMetadataValue generation_record(const ClassicGroup& group, Arena& arena);

// The record that makes a group a classic one before anybody is in it.
protocol::GroupMetadataValue empty_generation_record(std::int64_t now_ms);

// The protocols of a request, each name once, in the member's order of preference.
std::vector<ClassicProtocol> protocols_of(const protocol::JoinGroupRequest& request);

// The answer to a JoinGroup that failed.
protocol::JoinGroupResponse join_error(std::string_view member_id, ErrorCode error);

// The answer to a member of the present generation. Members are listed for the leader only, who assigns.
protocol::JoinGroupResponse join_answer(const ClassicGroup& group, const ClassicMember& member,
                                        bool with_members, Arena& memory);

}  // namespace milena::coordinator
