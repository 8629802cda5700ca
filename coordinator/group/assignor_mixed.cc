#include "coordinator/group/assignor_mixed.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace milena::coordinator {
namespace {

// Overlapping subscriptions converge slowly; each round roughly halves what is left to balance.
constexpr int kMaxRounds = 16;
constexpr std::size_t kNobody = ~std::size_t{0};

struct Topic {
  Uuid id;
  std::vector<std::size_t> subscribers;  // indices of members, ascending
  std::vector<std::size_t> owners;       // by partition
};

class MixedTopics {
 public:
  explicit MixedTopics(const AssignorInput& input) : input_(input), load_(input.members.size()) {
    std::map<Uuid, Topic> topics;
    for (std::size_t i = 0; i < input.members.size(); ++i) {
      for (const Uuid& id : input.subscriptions[input.members[i].subscription]) {
        const auto [at, fresh] = topics.try_emplace(id);
        Topic& topic = at->second;
        if (fresh) {
          topic.id = id;
          topic.owners.resize(static_cast<std::size_t>(input.partitions_of(id)), kNobody);
        }
        topic.subscribers.push_back(i);
      }
    }
    for (auto& [id, topic] : topics) topics_.push_back(std::move(topic));
    // The fewer can take a topic's partitions, the earlier they are dealt out.
    std::ranges::sort(topics_, {}, [](const Topic& topic) {
      const auto subscribers = static_cast<double>(topic.subscribers.size());
      return std::tuple(-static_cast<double>(topic.owners.size()) / subscribers, topic.subscribers.size(),
                        topic.id);
    });
  }

  std::vector<Assignment> assign() {
    for (Topic& topic : topics_) keep(topic);
    for (Topic& topic : topics_) deal_out(topic);
    for (int round = 0; round < kMaxRounds; ++round) {
      bool moved = false;
      for (Topic& topic : topics_) moved = balance(topic) || moved;
      if (!moved) break;
    }
    std::vector<Assignment> assignments(input_.members.size());
    for (const Topic& topic : topics_) {
      for (std::size_t p = 0; p < topic.owners.size(); ++p) {
        assignments[topic.owners[p]][topic.id].push_back(static_cast<std::int32_t>(p));
      }
    }
    return assignments;
  }

 private:
  using ByLoad = std::set<std::pair<std::size_t, std::size_t>>;  // (partitions, member)

  void keep(Topic& topic) {
    for (const std::size_t member : topic.subscribers) {
      const Assignment* current = input_.members[member].current;
      if (current == nullptr) continue;
      const auto partitions = current->find(topic.id);
      if (partitions == current->end()) continue;
      for (const std::int32_t partition : partitions->second) {
        const auto p = static_cast<std::size_t>(partition);
        if (p < topic.owners.size() && topic.owners[p] == kNobody) set_owner(topic, p, member);
      }
    }
  }

  void set_owner(Topic& topic, std::size_t partition, std::size_t member) {
    std::size_t& owner = topic.owners[partition];
    if (owner != kNobody) --load_[owner];
    owner = member;
    ++load_[member];
  }

  void deal_out(Topic& topic) {
    ByLoad subscribers = by_load(topic);
    for (std::size_t p = 0; p < topic.owners.size(); ++p) {
      if (topic.owners[p] != kNobody) continue;
      auto least = subscribers.extract(subscribers.begin());
      set_owner(topic, p, least.value().second);
      ++least.value().first;
      subscribers.insert(std::move(least));
    }
  }

  bool balance(Topic& topic) {
    if (topic.subscribers.size() < 2) return false;
    ByLoad takers = by_load(topic);
    std::map<std::size_t, std::vector<std::size_t>> owned;  // by member: partitions of this topic
    for (std::size_t p = 0; p < topic.owners.size(); ++p) owned[topic.owners[p]].push_back(p);
    ByLoad givers;
    for (const auto& [member, partitions] : owned) givers.emplace(load_[member], member);
    bool moved = false;
    while (!givers.empty()) {
      const auto [most, giver] = *givers.rbegin();
      const auto [least, taker] = *takers.begin();
      if (most <= least + 1) break;
      auto& partitions = owned[giver];
      set_owner(topic, partitions.back(), taker);
      partitions.pop_back();
      moved = true;
      givers.erase({most, giver});
      if (!partitions.empty()) givers.emplace(most - 1, giver);
      takers.erase({most, giver});
      takers.emplace(most - 1, giver);
      takers.erase({least, taker});
      takers.emplace(least + 1, taker);
    }
    return moved;
  }

  ByLoad by_load(const Topic& topic) const {
    ByLoad members;
    for (const std::size_t member : topic.subscribers) members.emplace(load_[member], member);
    return members;
  }

  const AssignorInput& input_;
  std::vector<std::size_t> load_;  // partitions by member
  std::vector<Topic> topics_;
};

}  // namespace

std::vector<Assignment> assign_mixed_subscriptions(const AssignorInput& input) {
  return MixedTopics(input).assign();
}

}  // namespace milena::coordinator
