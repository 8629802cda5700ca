#include "broker/handlers/group_membership.h"

#include <utility>
#include <variant>

#include "broker/handlers/group_call.h"

namespace milena::broker {
namespace {

template <class Response, class Request>
void pass_on(GroupCoordinator& groups, const Call& call, const Request& request, Responder responder) {
  groups.ask(request.group_id, group_context(call), request,
             [responder = std::move(responder)](GroupCoordinator::Completion&& completion) mutable {
               responder.send(std::get<Response>(completion.reply));
             });
}

}  // namespace

void GroupMembershipHandlers::join(Call& call, const protocol::JoinGroupRequest& request,
                                   Responder responder) {
  pass_on<protocol::JoinGroupResponse>(groups_, call, request, std::move(responder));
}

void GroupMembershipHandlers::sync(Call& call, const protocol::SyncGroupRequest& request,
                                   Responder responder) {
  constexpr int kProtocolMandatory = 5;
  if (call.version >= kProtocolMandatory && (!request.protocol_type || !request.protocol_name)) {
    return responder.send(protocol::SyncGroupResponse{.error_code = ErrorCode::kInconsistentGroupProtocol});
  }
  pass_on<protocol::SyncGroupResponse>(groups_, call, request, std::move(responder));
}

void GroupMembershipHandlers::heartbeat(Call& call, const protocol::HeartbeatRequest& request,
                                        Responder responder) {
  pass_on<protocol::HeartbeatResponse>(groups_, call, request, std::move(responder));
}

void GroupMembershipHandlers::leave(Call& call, const protocol::LeaveGroupRequest& request,
                                    Responder responder) {
  pass_on<protocol::LeaveGroupResponse>(groups_, call, request, std::move(responder));
}

void GroupMembershipHandlers::consumer_heartbeat(Call& call,
                                                 const protocol::ConsumerGroupHeartbeatRequest& request,
                                                 Responder responder) {
  if (!consumer_groups_()) {
    return responder.send(
        protocol::ConsumerGroupHeartbeatResponse{.error_code = ErrorCode::kUnsupportedVersion});
  }
  pass_on<protocol::ConsumerGroupHeartbeatResponse>(groups_, call, request, std::move(responder));
}

}  // namespace milena::broker
