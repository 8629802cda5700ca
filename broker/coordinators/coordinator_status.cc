#include "broker/coordinators/coordinator_status.h"

#include <algorithm>
#include <span>

namespace milena::broker {
namespace {

using coordinator::GroupMachine;
using coordinator::TransactionMachine;
using Host = GroupCoordinator::Host;

constexpr std::size_t kGroupsAtATime = 32;

std::size_t members_of(const coordinator::Group& group) {
  if (group.consumer) return group.consumer->members().size();
  return group.classic ? group.classic->members().size() : 0;
}

// Counts every group of the shard. Returns the ids of those that are within the limits.
std::vector<std::string> count_groups(const Host& host, const GroupsStatus::Limits& limits,
                                      GroupsStatus& status) {
  std::vector<std::string> ids;
  host.inspect([&](const GroupMachine& machine) {
    const auto& counts = machine.rebalances();
    for (std::size_t i = 0; i < counts.classic.size(); ++i) status.rebalances.classic[i] += counts.classic[i];
    status.rebalances.consumer += counts.consumer;
    machine.groups().for_each([&](const coordinator::Group& group) {
      ++status.by_state[{group.consumer ? "consumer" : "classic", group.state()}];
      if (status.groups.size() + ids.size() < limits.groups_max) {
        ids.push_back(group.id);
      } else {
        ++status.groups_left_out;
      }
    });
  });
  return ids;
}

void add_group(const coordinator::Group& group, std::size_t& offsets_left, GroupsStatus& status) {
  GroupStatus& added = status.groups.emplace_back();
  added.id = group.id;
  added.members = members_of(group);
  for (const auto& [topic, partitions] : group.offsets.committed()) {
    for (const auto& [partition, committed] : partitions) {
      if (offsets_left == 0) {
        ++status.offsets_left_out;
        continue;
      }
      --offsets_left;
      added.offsets.push_back({.topic = topic, .partition = partition, .offset = committed.offset});
    }
  }
}

}  // namespace

GroupsStatus status_of_groups(const GroupCoordinator& groups, const GroupsStatus::Limits& limits) {
  GroupsStatus status;
  std::size_t offsets_left = limits.offsets_max;
  for (const auto& host : *groups.shards().hosts()) {
    const auto ids = count_groups(*host, limits, status);
    for (std::span<const std::string> rest(ids); !rest.empty();) {
      const auto slice = rest.first(std::min(rest.size(), kGroupsAtATime));
      host->inspect([&](const GroupMachine& machine) {
        for (const std::string& id : slice) {
          if (const auto* group = machine.groups().find(id)) add_group(*group, offsets_left, status);
        }
      });
      rest = rest.subspan(slice.size());
    }
  }
  std::ranges::sort(status.groups, {}, &GroupStatus::id);
  return status;
}

TransactionsStatus status_of_transactions(const TransactionCoordinator& transactions) {
  TransactionsStatus status;
  for (const auto& host : *transactions.shards().hosts()) {
    host->inspect([&](const TransactionMachine& machine) {
      status.open += machine.open();
      status.committed += machine.committed();
      status.aborted += machine.aborted();
    });
  }
  return status;
}

}  // namespace milena::broker
