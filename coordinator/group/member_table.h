// MemberTable: the members of a group. Lookup by id in constant time, iteration in an order that depends on
// nothing but the group's history: the order of joining, except that removing a member moves the last one
// into its place.
//
// Members never move in memory. Member has a public `std::string id` that only rename() changes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace milena::coordinator {

template <class Member>
class MemberTable {
 public:
  std::size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }

  Member* find(std::string_view id) {
    const auto at = slots_.find(id);
    return at == slots_.end() ? nullptr : members_[at->second].get();
  }
  const Member* find(std::string_view id) const {
    const auto at = slots_.find(id);
    return at == slots_.end() ? nullptr : members_[at->second].get();
  }

  Member& add(std::unique_ptr<Member> member) {
    Member& added = *member;
    const bool fresh = slots_.emplace(added.id, members_.size()).second;
    MILENA_ASSERT(fresh, "a member id is in its group once");
    members_.push_back(std::move(member));
    return added;
  }

  void remove(std::string_view id) {
    const auto at = slots_.find(id);
    if (at == slots_.end()) return;
    const std::size_t slot = at->second;
    slots_.erase(at);
    const std::unique_ptr<Member> removed = std::exchange(members_[slot], nullptr);
    if (slot + 1 != members_.size()) {
      members_[slot] = std::move(members_.back());
      slots_[members_[slot]->id] = slot;
    }
    members_.pop_back();
  }

  // Puts the members into this order; `ids` names each of them once.
  void arrange(const std::vector<std::string_view>& ids) {
    MILENA_ASSERT(ids.size() == members_.size(), "an order names every member");
    for (std::size_t slot = 0; slot < ids.size(); ++slot) {
      const std::size_t from = slots_.at(ids[slot]);
      if (from == slot) continue;
      std::swap(members_[slot], members_[from]);
      slots_[members_[slot]->id] = slot;
      slots_[members_[from]->id] = from;
    }
  }

  void rename(Member& member, std::string new_id) {
    const auto at = slots_.find(member.id);
    const std::size_t slot = at->second;
    slots_.erase(at);
    member.id = std::move(new_id);
    slots_.emplace(member.id, slot);
  }

  // Iteration visits `Member&`. Not while members are added or removed.
  template <class M>
  class Iterator {
   public:
    using Inner = typename std::vector<std::unique_ptr<Member>>::const_iterator;
    explicit Iterator(Inner at) : at_(at) {}
    M& operator*() const { return **at_; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    Inner at_;
  };
  Iterator<Member> begin() { return Iterator<Member>(members_.begin()); }
  Iterator<Member> end() { return Iterator<Member>(members_.end()); }
  Iterator<const Member> begin() const { return Iterator<const Member>(members_.begin()); }
  Iterator<const Member> end() const { return Iterator<const Member>(members_.end()); }

 private:
  std::vector<std::unique_ptr<Member>> members_;
  std::unordered_map<std::string_view, std::size_t> slots_;  // keys view Member::id
};

}  // namespace milena::coordinator
