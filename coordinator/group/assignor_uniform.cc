// The uniform assignor where all members subscribe to the same topics. Balance first, then stickiness, then
// racks.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "coordinator/group/assignor.h"
#include "coordinator/group/assignor_mixed.h"

namespace milena::coordinator {
namespace {

struct TopicPartition {
  Uuid topic_id;
  std::int32_t partition = 0;
};

class SameTopics {
 public:
  explicit SameTopics(const AssignorInput& input)
      : input_(input), assignments_(input.members.size()), room_(input.members.size()) {
    for (const Uuid& id : input.subscriptions.front()) {
      const std::int32_t partitions = input.partitions_of(id);
      taken_[id].resize(static_cast<std::size_t>(partitions));
      total_ += static_cast<std::size_t>(partitions);
    }
  }

  std::vector<Assignment> assign() {
    keep();
    std::vector<TopicPartition> free;
    for (const auto& [id, taken] : taken_) {
      for (std::size_t p = 0; p < taken.size(); ++p) {
        if (!taken[p]) free.push_back({id, static_cast<std::int32_t>(p)});
      }
    }
    fill_by_rack(free);
    std::size_t next = 0;
    for (std::size_t i = 0; i < input_.members.size(); ++i) {
      while (room_[i] > 0) give(i, free[next++]);
    }
    for (Assignment& assignment : assignments_) {
      for (auto& [id, partitions] : assignment) std::ranges::sort(partitions);
    }
    return std::move(assignments_);
  }

 private:
  // Leaves to every member what it has, up to its share, and computes how much it may still get. Shares
  // differ by one; the larger ones go to members that have that much already, then to the first ones.
  void keep() {
    const std::size_t share = total_ / input_.members.size();
    std::size_t larger = total_ % input_.members.size();
    std::vector<bool> has_larger(input_.members.size());
    for (std::size_t i = 0; i < input_.members.size(); ++i) {
      std::size_t kept = 0;
      const Assignment* current = input_.members[i].current;
      if (current != nullptr) {
        for (const auto& [id, partitions] : *current) {
          for (const std::int32_t partition : partitions) {
            if (kept < share + (larger > 0 ? 1 : 0) && claim(id, partition)) {
              assignments_[i][id].push_back(partition);
              ++kept;
            }
          }
        }
      }
      has_larger[i] = kept > share;
      if (has_larger[i]) --larger;
      room_[i] = has_larger[i] ? 0 : share - kept;
    }
    for (std::size_t i = 0; i < input_.members.size() && larger > 0; ++i) {
      if (has_larger[i]) continue;
      ++room_[i];
      --larger;
    }
  }

  // False for what is not subscribed, does not exist, or is taken.
  bool claim(const Uuid& id, std::int32_t partition) {
    const auto topic = taken_.find(id);
    if (topic == taken_.end() || partition < 0 ||
        static_cast<std::size_t>(partition) >= topic->second.size()) {
      return false;
    }
    const auto p = static_cast<std::size_t>(partition);
    if (topic->second[p]) return false;
    topic->second[p] = true;
    return true;
  }

  void give(std::size_t member, const TopicPartition& each) {
    assignments_[member][each.topic_id].push_back(each.partition);
    --room_[member];
  }

  void fill_by_rack(std::vector<TopicPartition>& free) {
    std::map<std::string_view, std::vector<std::size_t>> members_of_rack;  // with room; the first at the back
    for (std::size_t i = input_.members.size(); i-- > 0;) {
      const auto& rack = input_.members[i].rack_id;
      if (rack && room_[i] > 0) members_of_rack[*rack].push_back(i);
    }
    if (members_of_rack.empty()) return;
    std::erase_if(free, [&](const TopicPartition& each) {
      for (const std::string_view rack : input_.metadata->racks(each.topic_id, each.partition)) {
        const auto at = members_of_rack.find(rack);
        if (at == members_of_rack.end()) continue;
        const std::size_t member = at->second.back();
        give(member, each);
        if (room_[member] == 0) at->second.pop_back();
        if (at->second.empty()) members_of_rack.erase(at);
        return true;
      }
      return false;
    });
  }

  const AssignorInput& input_;
  std::vector<Assignment> assignments_;
  std::vector<std::size_t> room_;            // how many partitions a member may still get
  std::map<Uuid, std::vector<bool>> taken_;  // by topic and partition
  std::size_t total_ = 0;
};

}  // namespace

std::vector<Assignment> UniformAssignor::assign(const AssignorInput& input) const {
  if (input.members.empty()) return {};
  if (input.subscriptions.size() == 1) return SameTopics(input).assign();
  return assign_mixed_subscriptions(input);
}

const Assignor* find_assignor(std::string_view name) {
  static constexpr UniformAssignor kUniform;
  static constexpr RangeAssignor kRange;
  if (name == kUniform.name()) return &kUniform;
  if (name == kRange.name()) return &kRange;
  return nullptr;
}

}  // namespace milena::coordinator
