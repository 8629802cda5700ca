// The uniform assignor where all members subscribe to the same topics. Balance first, then stickiness, then
// racks. It writes down what moves, and builds the assignments of those members alone.
#include <algorithm>
#include <map>
#include <utility>

#include "coordinator/group/assignor.h"
#include "coordinator/group/assignor_mixed.h"

namespace milena::coordinator {
namespace {

struct TopicPartition {
  Uuid topic_id;
  std::int32_t partition = 0;

  bool operator==(const TopicPartition&) const = default;
};

class SameTopics {
 public:
  explicit SameTopics(const AssignorInput& input) : input_(input), shares_(input.members.size()) {
    for (const Uuid& id : input.subscriptions.front()) {
      const std::int32_t partitions = input.partitions_of(id);
      taken_[id].resize(static_cast<std::size_t>(partitions));
      total_ += static_cast<std::size_t>(partitions);
    }
  }

  std::vector<Reassignment> assign() {
    keep();
    std::vector<TopicPartition> free;  // topics and partitions ascending
    for (const auto& [id, taken] : taken_) {
      for (std::size_t p = 0; p < taken.size(); ++p) {
        if (!taken[p]) free.push_back({id, static_cast<std::int32_t>(p)});
      }
    }
    fill_by_rack(free);
    std::size_t next = 0;
    for (Share& share : shares_) {
      while (share.room > 0) share.give(free[next++]);
    }
    std::vector<Reassignment> changes;
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      const Assignment* current = input_.members[i].current;
      if (current != nullptr && shares_[i].lost.empty() && shares_[i].gained.empty()) continue;
      changes.push_back({i, shares_[i].applied_to(current)});
    }
    return changes;
  }

 private:
  // How a member's assignment changes.
  struct Share {
    std::size_t room = 0;                // how many partitions it may still get
    std::vector<TopicPartition> lost{};  // in the order of its current assignment
    std::vector<TopicPartition> gained{};

    void give(const TopicPartition& each) {
      gained.push_back(each);
      --room;
    }

    Assignment applied_to(const Assignment* current) const {
      Assignment next;
      if (current != nullptr) {
        auto lost_next = lost.begin();
        for (const auto& [id, partitions] : *current) {
          for (const std::int32_t partition : partitions) {
            if (lost_next != lost.end() && *lost_next == TopicPartition{id, partition}) {
              ++lost_next;
            } else {
              next[id].push_back(partition);
            }
          }
        }
      }
      for (const TopicPartition& each : gained) next[each.topic_id].push_back(each.partition);
      for (auto& [id, partitions] : next) std::ranges::sort(partitions);
      return next;
    }
  };

  // Leaves to every member what it has, up to its share, and computes how much it may still get. Shares
  // differ by one; the larger ones go to members that have that much already, then to the first ones.
  void keep() {
    const std::size_t share = total_ / input_.members.size();
    std::size_t larger = total_ % input_.members.size();
    std::vector<bool> has_larger(input_.members.size());
    for (std::size_t i = 0; i < input_.members.size(); ++i) {
      const Assignment* current = input_.members[i].current;
      const std::size_t kept =
          current == nullptr ? 0 : claim(*current, share + (larger > 0 ? 1 : 0), shares_[i]);
      has_larger[i] = kept > share;
      if (has_larger[i]) --larger;
      shares_[i].room = has_larger[i] ? 0 : share - kept;
    }
    for (std::size_t i = 0; i < input_.members.size() && larger > 0; ++i) {
      if (has_larger[i]) continue;
      ++shares_[i].room;
      --larger;
    }
  }

  // Takes at most `limit` of these for a member, and says how many. It loses the rest, and what is not
  // subscribed, does not exist, or is taken.
  std::size_t claim(const Assignment& current, std::size_t limit, Share& share) {
    std::size_t kept = 0;
    for (const auto& [id, partitions] : current) {
      const auto topic = taken_.find(id);
      for (const std::int32_t partition : partitions) {
        if (kept < limit && topic != taken_.end() && claim(topic->second, partition)) {
          ++kept;
        } else {
          share.lost.push_back({id, partition});
        }
      }
    }
    return kept;
  }

  static bool claim(std::vector<bool>& taken, std::int32_t partition) {
    if (partition < 0 || static_cast<std::size_t>(partition) >= taken.size()) return false;
    const auto p = static_cast<std::size_t>(partition);
    if (taken[p]) return false;
    taken[p] = true;
    return true;
  }

  void fill_by_rack(std::vector<TopicPartition>& free) {
    std::map<std::string_view, std::vector<std::size_t>> members_of_rack;  // with room; the first at the back
    for (std::size_t i = input_.members.size(); i-- > 0;) {
      const auto& rack = input_.members[i].rack_id;
      if (rack && shares_[i].room > 0) members_of_rack[*rack].push_back(i);
    }
    if (members_of_rack.empty()) return;
    std::erase_if(free, [&](const TopicPartition& each) {
      for (const std::string_view rack : input_.metadata->racks(each.topic_id, each.partition)) {
        const auto at = members_of_rack.find(rack);
        if (at == members_of_rack.end()) continue;
        Share& share = shares_[at->second.back()];
        share.give(each);
        if (share.room == 0) at->second.pop_back();
        if (at->second.empty()) members_of_rack.erase(at);
        return true;
      }
      return false;
    });
  }

  const AssignorInput& input_;
  std::vector<Share> shares_;                // by member
  std::map<Uuid, std::vector<bool>> taken_;  // by topic and partition
  std::size_t total_ = 0;
};

}  // namespace

std::vector<Reassignment> UniformAssignor::assign(const AssignorInput& input) const {
  if (input.members.empty()) return {};
  if (input.subscriptions.size() == 1) return SameTopics(input).assign();
  return changes_among(assign_mixed_subscriptions(input), input);
}

}  // namespace milena::coordinator
