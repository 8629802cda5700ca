// JoinGroup 0-9, SyncGroup 0-5, Heartbeat 0-4, LeaveGroup 0-5, ConsumerGroupHeartbeat 0-1: what members of a
// group ask. The group machine decides everything (coordinator/group); answers leave when it says so.
#pragma once

#include <functional>
#include <utility>

#include "broker/coordinators/group_coordinator.h"
#include "broker/handlers/call.h"

namespace milena::broker {

class GroupMembershipHandlers {
 public:
  // `consumer_groups`: whether the new protocol (KIP-848) is on; without it its requests get
  // UNSUPPORTED_VERSION.
  GroupMembershipHandlers(GroupCoordinator& groups, std::function<bool()> consumer_groups)
      : groups_(groups), consumer_groups_(std::move(consumer_groups)) {}

  void join(Call& call, const protocol::JoinGroupRequest& request, Responder responder);
  void sync(Call& call, const protocol::SyncGroupRequest& request, Responder responder);
  void heartbeat(Call& call, const protocol::HeartbeatRequest& request, Responder responder);
  void leave(Call& call, const protocol::LeaveGroupRequest& request, Responder responder);
  void consumer_heartbeat(Call& call, const protocol::ConsumerGroupHeartbeatRequest& request,
                          Responder responder);

 private:
  GroupCoordinator& groups_;
  const std::function<bool()> consumer_groups_;
};

}  // namespace milena::broker
