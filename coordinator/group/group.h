// Group: everything the coordinator knows under one group id. GroupTable: the groups of one shard.
//
// A group holds offsets and, when it has or had members, a body: classic or consumer, never both. Without a
// body it is what Kafka calls a simple group, made by a client that commits offsets and assigns itself; it
// shows as an Empty classic group and lasts as long as its offsets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "coordinator/group/classic_group.h"
#include "coordinator/group/consumer_group.h"
#include "coordinator/group/offsets.h"

namespace milena::coordinator {

struct Group {
  explicit Group(std::string_view group_id) : id(group_id) {}

  std::string id;
  GroupOffsets offsets;
  std::unique_ptr<ClassicGroup> classic;
  std::unique_ptr<ConsumerGroup> consumer;

  bool has_body() const { return classic || consumer; }
  bool is_empty() const {
    if (consumer) return consumer->members().empty();
    return !classic || classic->state == ClassicState::kEmpty;
  }
  std::string_view state() const {
    if (consumer) return consumer->state();
    return to_string(classic ? classic->state : ClassicState::kEmpty);
  }
};

class GroupTable {
 public:
  std::size_t size() const { return groups_.size(); }
  Group* find(std::string_view group_id) {
    const auto at = groups_.find(group_id);
    return at == groups_.end() ? nullptr : at->second.get();
  }
  const Group* find(std::string_view group_id) const {
    const auto at = groups_.find(group_id);
    return at == groups_.end() ? nullptr : at->second.get();
  }
  Group& find_or_add(std::string_view group_id) {
    if (Group* found = find(group_id)) return *found;
    auto group = std::make_unique<Group>(group_id);
    Group& added = *group;
    groups_.emplace(added.id, std::move(group));
    return added;
  }
  // Forgets a group that has nothing left to say.
  void drop_if_bare(Group& group) {
    if (group.has_body() || !group.offsets.empty()) return;
    const auto at = groups_.find(group.id);
    const std::unique_ptr<Group> dropped = std::move(at->second);  // the key views the group's id
    groups_.erase(at);
  }
  // By id: nothing that comes out of a machine may depend on the order of a hash table.
  std::vector<Group*> sorted() {
    std::vector<Group*> all;
    all.reserve(groups_.size());
    for (auto& [id, group] : groups_) all.push_back(group.get());
    std::ranges::sort(all, {}, &Group::id);
    return all;
  }
  std::vector<const Group*> sorted() const {
    const auto all = const_cast<GroupTable*>(this)->sorted();
    return {all.begin(), all.end()};
  }
  // In no order, for what does not depend on one.
  template <class F>
  void for_each(F&& visit) {
    for (auto& [id, group] : groups_) visit(*group);
  }
  template <class F>
  void for_each(F&& visit) const {
    for (const auto& [id, group] : groups_) visit(std::as_const(*group));
  }

 private:
  std::unordered_map<std::string_view, std::unique_ptr<Group>> groups_;  // keys view Group::id
};

}  // namespace milena::coordinator
