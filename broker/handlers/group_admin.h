// ListGroups 0-5, DescribeGroups 0-6, ConsumerGroupDescribe 0-1, DeleteGroups 0-2: what administrators ask
// about groups. The groups of a request are asked of the shards they belong to, and the answers put together.
#pragma once

#include <functional>
#include <utility>

#include "broker/coordinators/group_coordinator.h"
#include "broker/handlers/call.h"

namespace milena::broker {

class GroupAdminHandlers {
 public:
  // `consumer_groups`: whether the new protocol (KIP-848) is on; without it its requests get
  // UNSUPPORTED_VERSION.
  GroupAdminHandlers(GroupCoordinator& groups, std::function<bool()> consumer_groups)
      : groups_(groups), consumer_groups_(std::move(consumer_groups)) {}

  // Every group of this node. COORDINATOR_LOAD_IN_PROGRESS while a shard is being loaded.
  void list(Call& call, const protocol::ListGroupsRequest& request, Responder responder);
  void describe(Call& call, const protocol::DescribeGroupsRequest& request, Responder responder);
  void describe_consumer_groups(Call& call, const protocol::ConsumerGroupDescribeRequest& request,
                                Responder responder);
  void remove(Call& call, const protocol::DeleteGroupsRequest& request, Responder responder);

 private:
  GroupCoordinator& groups_;
  const std::function<bool()> consumer_groups_;
};

}  // namespace milena::broker
