// GroupClaims: which member of a group owns which partition of "orders", as members were told, and which of
// them may commit.
//
// Part of History. When power is lost a coordinator may have lost generations and epochs: claims begin anew
// with a new term, and what is reported of an older term is not held against anybody.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"

namespace milena::sim {

class History;

class GroupClaims {
 public:
  explicit GroupClaims(History& history) : history_(history) {}

  int term() const { return term_; }
  void lost_power();
  // For the next commit of any member: higher than all before.
  std::int64_t next_offset() { return ++last_offset_; }

  // --- classic groups: a generation has one owner for a partition

  // SyncGroup has given the partitions to the member.
  void synced(int term, const std::string& group, std::int32_t generation, const std::string& member,
              const std::set<std::int32_t>& partitions);
  // The newest generation that a member was told of; -1: none. Members of older ones are fenced.
  std::int32_t newest(const std::string& group) const;
  // A commit of a member of `generation` was accepted; it was sent when `newest` was the newest.
  void accepted(int term, const std::string& group, std::int32_t generation, std::int32_t newest);

  // --- groups whose members tell what they own (KIP-848): a partition has one owner at a time

  // The member was told at `at` that the partition is its own. It is so until it is released, or the member's
  // session is over.
  void holds(const std::string& group, std::int32_t partition, const std::string& member, Instant at);
  // The member was heard: its session lasts until then.
  void renewed(const std::string& group, const std::string& member, Instant until);
  void released(const std::string& group, std::int32_t partition, const std::string& member);
  // Whose it is for certain; empty: unknown.
  std::string owner(const std::string& group, std::int32_t partition, Instant at) const;
  // A commit of the member was accepted; it was sent when `owner` owned the partition.
  void accepted(int term, const std::string& group, std::int32_t partition, const std::string& member,
                const std::string& owner);

 private:
  struct Classic {
    std::int32_t newest = -1;
    std::map<std::int32_t, std::map<std::int32_t, std::string>> owners;  // by generation and partition
  };
  struct Consumer {
    std::map<std::int32_t, std::string> owners;
    std::map<std::string, Instant> sessions;
  };

  History& history_;
  int term_ = 0;
  std::int64_t last_offset_ = 0;
  std::map<std::string, Classic> classic_;
  std::map<std::string, Consumer> consumer_;
};

}  // namespace milena::sim
