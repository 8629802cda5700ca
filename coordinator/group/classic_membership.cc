// Heartbeats, leaving, and dying: how members of a classic group stay or go.
#include <utility>
#include <vector>

#include "coordinator/group/classic_groups.h"

namespace milena::coordinator {

using protocol::HeartbeatRequest;
using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;
using protocol::SyncGroupResponse;

ErrorCode ClassicGroups::validate(ClassicGroup& group, std::string_view member_id,
                                  std::optional<std::string_view> instance_id) const {
  if (instance_id) {
    const ClassicMember* owner = group.find_static(*instance_id);
    if (owner == nullptr) return ErrorCode::kUnknownMemberId;
    if (owner->id != member_id) return ErrorCode::kFencedInstanceId;
  }
  return group.find(member_id) == nullptr ? ErrorCode::kUnknownMemberId : ErrorCode::kNone;
}

ErrorCode ClassicGroups::heartbeat(Group& group, const HeartbeatRequest& request) {
  ClassicGroup& g = *group.classic;
  if (const ErrorCode error = validate(g, request.member_id, request.group_instance_id);
      error != ErrorCode::kNone) {
    return error;
  }
  if (request.generation_id != g.generation) return ErrorCode::kIllegalGeneration;
  extend_session(*g.find(request.member_id));
  return g.state == ClassicState::kPreparingRebalance ? ErrorCode::kRebalanceInProgress : ErrorCode::kNone;
}

ErrorCode ClassicGroups::check_commit(Group& group, std::string_view member_id,
                                      std::optional<std::string_view> instance_id, std::int32_t generation,
                                      bool transactional) {
  ClassicGroup& g = *group.classic;
  // Generation -1: an admin client, or a consumer that assigns itself. Nobody is in its way in an empty
  // group.
  if (generation < 0 && g.state == ClassicState::kEmpty) return ErrorCode::kNone;
  if (generation >= 0 || !member_id.empty() || instance_id) {
    if (const ErrorCode error = validate(g, member_id, instance_id); error != ErrorCode::kNone) return error;
    if (generation != g.generation) return ErrorCode::kIllegalGeneration;
  } else if (!transactional) {
    return ErrorCode::kUnknownMemberId;
  }
  if (transactional) return ErrorCode::kNone;
  // The member knows the new generation but not yet what it is assigned.
  if (g.state == ClassicState::kCompletingRebalance) return ErrorCode::kRebalanceInProgress;
  if (ClassicMember* member = g.find(member_id)) extend_session(*member);
  return ErrorCode::kNone;
}

void ClassicGroups::dismiss(ClassicGroup& group, ClassicMember& member, ErrorCode error, GroupOutcome& out) {
  // Only who is fenced is reminded of its id; others are to start anew.
  const std::string_view told = error == ErrorCode::kFencedInstanceId ? out.memory().text(member.id) : "";
  if (const ReplyToken waiting = group.take_join(member); waiting != 0)
    out.reply(waiting, join_error(told, error));
  if (const ReplyToken waiting = group.take_sync(member); waiting != 0) {
    out.reply(waiting, SyncGroupResponse{.error_code = error});
  }
}

void ClassicGroups::leave(Group& group, const LeaveGroupRequest& request,
                          std::span<LeaveGroupResponse::MemberResponse> results, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  bool anybody_left = false;
  for (std::size_t i = 0; i < request.members.size(); ++i) {
    const auto& leaving = request.members[i];
    ErrorCode& result = results[i].error_code;
    ClassicMember* member = nullptr;
    if (leaving.member_id.empty()) {
      // An administrator removes a static member by its instance id alone.
      if (leaving.group_instance_id) member = g.find_static(*leaving.group_instance_id);
      result = member == nullptr ? ErrorCode::kUnknownMemberId : ErrorCode::kNone;
    } else if (g.is_pending(leaving.member_id)) {
      g.remove_pending(leaving.member_id);
      anybody_left = true;
    } else {
      result = validate(g, leaving.member_id, leaving.group_instance_id);
      if (result == ErrorCode::kNone) member = g.find(leaving.member_id);
    }
    if (member == nullptr) continue;
    dismiss(g, *member, ErrorCode::kUnknownMemberId, out);
    g.remove(std::string(member->id));
    anybody_left = true;
  }
  if (anybody_left && g.state != ClassicState::kEmpty) {
    rebalance_or_complete(group, RebalanceCause::kLeave, out);
  }
}

void ClassicGroups::session_expired(Group& group, std::string_view member_id, GroupOutcome& out) {
  ClassicMember& member = *group.classic->find(member_id);
  // Who waits for us is not silent; unless it is new, for then nobody may be there any more.
  if (!member.is_new && (member.awaiting_join != 0 || member.awaiting_sync != 0)) return;
  remove_and_rebalance(group, member, out);
}

void ClassicGroups::remove_and_rebalance(Group& group, ClassicMember& member, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  dismiss(g, member, ErrorCode::kUnknownMemberId, out);
  g.remove(std::string(member.id));
  if (g.state != ClassicState::kPreparingRebalance) {
    prepare_rebalance(group, RebalanceCause::kSessionTimeout, out);
  } else if (g.all_joined()) {
    complete_join(group, out);
  }
}

void ClassicGroups::pending_expired(Group& group, std::string_view member_id, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  g.remove_pending(std::string(member_id));
  if (g.state == ClassicState::kPreparingRebalance && g.all_joined()) complete_join(group, out);
}

void ClassicGroups::loaded(Group& group) {
  for (ClassicMember& member : group.classic->members()) extend_session(member);
}

void ClassicGroups::answer_all(Group& group, ErrorCode error, GroupOutcome& out) {
  ClassicGroup& g = *group.classic;
  for (ClassicMember& member : g.members()) {
    if (member.awaiting_join == 0 && member.awaiting_sync == 0) continue;
    const std::string_view id = out.memory().text(member.id);
    if (const ReplyToken waiting = g.take_join(member); waiting != 0)
      out.reply(waiting, join_error(id, error));
    if (const ReplyToken waiting = g.take_sync(member); waiting != 0) {
      out.reply(waiting, SyncGroupResponse{.error_code = error});
    }
    // Should the group live on after all, nothing else would watch over them.
    extend_session(member);
  }
}

}  // namespace milena::coordinator
