#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "coordinator/group/assignor.h"

namespace milena::coordinator {
namespace {

struct Topic {
  std::int32_t partitions = 0;
  std::int32_t subscribers = 0;
  std::int32_t served = 0;  // subscribers that have their range
  std::int32_t next = 0;    // first partition of the next range
};

}  // namespace

std::vector<Reassignment> RangeAssignor::assign(const AssignorInput& input) const {
  std::vector<std::size_t> order(input.members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) {
    const AssignorMember& member = input.members[i];
    return std::tuple(!member.instance_id.has_value(), member.instance_id.value_or(member.id));
  });
  std::map<Uuid, Topic> topics;
  for (const AssignorMember& member : input.members) {
    for (const Uuid& id : input.subscriptions[member.subscription]) {
      const auto [at, fresh] = topics.try_emplace(id);
      if (fresh) at->second.partitions = input.partitions_of(id);
      ++at->second.subscribers;
    }
  }
  std::vector<Assignment> assignments(input.members.size());
  for (const std::size_t i : order) {
    for (const Uuid& id : input.subscriptions[input.members[i].subscription]) {
      Topic& topic = topics[id];
      const bool gets_extra = topic.served++ < topic.partitions % topic.subscribers;
      const std::int32_t size = topic.partitions / topic.subscribers + (gets_extra ? 1 : 0);
      if (size == 0) continue;
      auto& range = assignments[i][id];
      range.resize(static_cast<std::size_t>(size));
      std::iota(range.begin(), range.end(), topic.next);
      topic.next += size;
    }
  }
  return changes_among(std::move(assignments), input);
}

}  // namespace milena::coordinator
