#include "coordinator/group/group_machine.h"

#include <utility>

#include "base/saturating.h"
#include "coordinator/group/records.h"

namespace milena::coordinator {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::HeartbeatRequest;
using protocol::HeartbeatResponse;
using protocol::JoinGroupRequest;
using protocol::JoinGroupResponse;
using protocol::LeaveGroupRequest;
using protocol::LeaveGroupResponse;
using protocol::OffsetCommitRequest;
using protocol::OffsetDeleteRequest;
using protocol::SyncGroupRequest;
using protocol::SyncGroupResponse;
using protocol::TxnOffsetCommitRequest;

GroupMachine::GroupMachine(std::shared_ptr<const GroupConfig> config,
                           std::shared_ptr<const MetadataView> metadata, Rng& rng)
    : store_(std::move(config), std::move(metadata), rng),
      classic_(store_),
      consumer_(store_, classic_),
      offsets_(store_, classic_, consumer_),
      replay_(store_, classic_, consumer_),
      expiry_timer_(store_.timers, {GroupTimer::Kind::kOffsetExpiry, nullptr, nullptr}) {}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext& context,
                          const JoinGroupRequest& request, GroupOutcome& out) {
  store_.now = now;
  const GroupConfig& config = *store_.config;
  if (request.group_id.empty()) {
    out.reply(token, join_error(request.member_id, ErrorCode::kInvalidGroupId));
    return;
  }
  if (request.session_timeout_ms < config.group_min_session_timeout_ms ||
      request.session_timeout_ms > config.group_max_session_timeout_ms) {
    out.reply(token, join_error(request.member_id, ErrorCode::kInvalidSessionTimeout));
    return;
  }
  JoinGroupRequest whole = request;
  // Version 0 knows one timeout for both.
  if (whole.rebalance_timeout_ms < 0) whole.rebalance_timeout_ms = whole.session_timeout_ms;
  join(token, context, whole, out);
}

void GroupMachine::join(ReplyToken token, const RequestContext& context, const JoinGroupRequest& request,
                        GroupOutcome& out) {
  Group* group = store_.groups.find(request.group_id);
  if (group != nullptr && group->classic) return classic_.join(*group, token, context, request, out);
  if (group != nullptr && group->consumer && !group->is_empty()) {
    return consumer_.join_classic(*group, token, context, request, out);
  }
  // Nothing here, offsets alone, or a consumer group that everybody has left: the member starts a classic
  // group.
  if (!request.member_id.empty()) {
    out.reply(token, join_error(request.member_id, ErrorCode::kUnknownMemberId));
    return;
  }
  if (request.protocol_type.empty() || request.protocols.empty()) {
    out.reply(token, join_error({}, ErrorCode::kInconsistentGroupProtocol));
    return;
  }
  if (group != nullptr) append_group_tombstones(*group, out);
  append_classic_group(out, request.group_id, empty_generation_record(store_.now.wall_ms));
  out.then(token, JoinGroupResponse{},
           [this, token, context, request](GroupOutcome& next) { join(token, context, request, next); });
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext&, const SyncGroupRequest& request,
                          GroupOutcome& out) {
  store_.now = now;
  Group* group = store_.groups.find(request.group_id);
  if (request.group_id.empty()) {
    out.reply(token, SyncGroupResponse{.error_code = ErrorCode::kInvalidGroupId});
  } else if (group == nullptr || group->is_empty()) {
    out.reply(token, SyncGroupResponse{.error_code = ErrorCode::kUnknownMemberId});
  } else if (group->consumer) {
    consumer_.sync_classic(*group, token, request, out);
  } else {
    classic_.sync(*group, token, request, out);
  }
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext&, const HeartbeatRequest& request,
                          GroupOutcome& out) {
  store_.now = now;
  Group* group = store_.groups.find(request.group_id);
  ErrorCode error = ErrorCode::kUnknownMemberId;
  if (request.group_id.empty()) {
    error = ErrorCode::kInvalidGroupId;
  } else if (group != nullptr && group->classic) {
    error = classic_.heartbeat(*group, request);
  } else if (group != nullptr && group->consumer) {
    error = consumer_.heartbeat_classic(*group, request);
  }
  out.reply(token, HeartbeatResponse{.error_code = error});
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext& context,
                          const LeaveGroupRequest& request, GroupOutcome& out) {
  store_.now = now;
  if (request.group_id.empty()) {
    out.reply(token, LeaveGroupResponse{.error_code = ErrorCode::kInvalidGroupId});
    return;
  }
  // Before version 3 one member leaves, and its result is the response's.
  const bool is_single = context.api_version < 3;
  LeaveGroupRequest whole = request;
  if (is_single) {
    whole.members = out.memory().array<LeaveGroupRequest::MemberIdentity>(1);
    whole.members[0].member_id = request.member_id;
  }
  LeaveGroupResponse response;
  response.members = out.memory().array<LeaveGroupResponse::MemberResponse>(whole.members.size());
  for (std::size_t i = 0; i < whole.members.size(); ++i) {
    response.members[i].member_id = whole.members[i].member_id;
    response.members[i].group_instance_id = whole.members[i].group_instance_id;
    response.members[i].error_code = ErrorCode::kNone;
  }
  Group* group = store_.groups.find(request.group_id);
  if (group != nullptr && group->classic) {
    classic_.leave(*group, whole, response.members, out);
  } else if (group != nullptr && group->consumer) {
    consumer_.leave_classic(*group, whole, response.members, out);
  } else {
    for (auto& member : response.members) member.error_code = ErrorCode::kUnknownMemberId;
  }
  if (is_single) {
    response.error_code = response.members[0].error_code;
    response.members = {};
  }
  out.reply(token, response);
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext& context,
                          const ConsumerGroupHeartbeatRequest& request, GroupOutcome& out) {
  store_.now = now;
  consumer_.heartbeat(token, context, request, out);
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext& context,
                          const OffsetCommitRequest& request, GroupOutcome& out) {
  store_.now = now;
  offsets_.commit(token, context, request, out);
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext& context,
                          const TxnOffsetCommitRequest& request, GroupOutcome& out) {
  store_.now = now;
  offsets_.commit_in_transaction(token, context, request, out);
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext& context,
                          const FetchOffsets& request, GroupOutcome& out) {
  store_.now = now;
  offsets_.fetch(token, context, request, out);
}

void GroupMachine::handle(Now now, ReplyToken token, const RequestContext&,
                          const OffsetDeleteRequest& request, GroupOutcome& out) {
  store_.now = now;
  offsets_.remove(token, request, out);
}

void GroupMachine::metadata_changed(Now now, const MetadataChange& change, GroupOutcome& out) {
  store_.now = now;
  store_.metadata = change.view;
  for (const std::string& topic : change.changed_topics) consumer_.topic_changed(topic);
  if (change.topics_created) consumer_.topics_created();
  if (!change.deleted_topics.empty()) offsets_.topics_deleted(change.deleted_topics, out);
}

void GroupMachine::loaded(Now now, GroupOutcome& out) {
  store_.now = now;
  store_.live = true;
  consumer_.topics_created();
  expiry_timer_.arm(after(now.instant, Instant{store_.config->offsets_retention_check_interval_ms}));
  for (Group* group : store_.groups.sorted()) {
    if (group->consumer) consumer_.loaded(*group);
    if (!group->classic) continue;
    classic_.loaded(*group);
    // group.max.size was lowered: whoever rejoins late is out, and may commit before.
    const auto max = static_cast<std::size_t>(store_.config->group_max_size);
    if (group->classic->members().size() > max) {
      classic_.prepare_rebalance(*group, RebalanceCause::kOther, out);
    }
  }
}

void GroupMachine::release(ErrorCode error, GroupOutcome& out) {
  for (Group* group : store_.groups.sorted()) {
    if (group->classic) classic_.answer_all(*group, error, out);
  }
}

bool GroupMachine::fire(Now now, GroupOutcome& out) {
  store_.now = now;
  const auto timer = store_.timers.pop(now.instant);
  if (!timer) return false;
  switch (timer->kind) {
    case GroupTimer::Kind::kOffsetExpiry:
      offsets_.expire(out);
      expiry_timer_.arm(after(now.instant, Instant{store_.config->offsets_retention_check_interval_ms}));
      break;
    case GroupTimer::Kind::kClassicSession:
      classic_.session_expired(*timer->group, *timer->member_id, out);
      break;
    case GroupTimer::Kind::kClassicPending:
      classic_.pending_expired(*timer->group, *timer->member_id, out);
      break;
    case GroupTimer::Kind::kClassicJoin:
      classic_.join_expired(*timer->group, out);
      break;
    case GroupTimer::Kind::kClassicInitial:
      classic_.initial_delay_over(*timer->group, out);
      break;
    case GroupTimer::Kind::kClassicSync:
      classic_.sync_expired(*timer->group, out);
      break;
    case GroupTimer::Kind::kConsumerSession:
    case GroupTimer::Kind::kConsumerRebalance:
    case GroupTimer::Kind::kConsumerJoin:
    case GroupTimer::Kind::kConsumerSync:
      consumer_.time_out(*timer->group, timer->kind, *timer->member_id, out);
  }
  return true;
}

}  // namespace milena::coordinator
