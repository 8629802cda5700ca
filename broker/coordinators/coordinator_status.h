// The state of the groups and transactions that this node coordinates, for metrics.
//
// Any thread. A shard's lock is held for some dozens of groups at a time: requests of a large shard go on in
// between, so the states of two groups need not be of one moment. Groups of shards that are being loaded are
// missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/coordinators/group_coordinator.h"
#include "broker/coordinators/transaction_coordinator.h"
#include "coordinator/group/rebalances.h"

namespace milena::broker {

struct GroupStatus {
  struct Offset {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
  };
  std::string id;
  std::size_t members = 0;
  std::vector<Offset> offsets;  // committed, by topic and partition
};

struct GroupsStatus {
  struct Limits {
    std::size_t groups_max = 0;
    std::size_t offsets_max = 0;  // of all groups
  };
  // Protocol and state, by their names in Kafka, of every group.
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> by_state;
  coordinator::RebalanceCounts rebalances;
  std::vector<GroupStatus> groups;  // within the limits
  std::size_t groups_left_out = 0;
  std::size_t offsets_left_out = 0;
};

GroupsStatus status_of_groups(const GroupCoordinator& groups, const GroupsStatus::Limits& limits);

struct TransactionsStatus {
  std::size_t open = 0;  // begun, and neither committed nor aborted in full
  std::uint64_t committed = 0;
  std::uint64_t aborted = 0;
};

TransactionsStatus status_of_transactions(const TransactionCoordinator& transactions);

}  // namespace milena::broker
