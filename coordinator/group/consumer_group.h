// ConsumerGroup: the state of a group whose members the coordinator assigns (KIP-848).
//
//   group epoch       grows when subscriptions, members or the topics' metadata change
//   assignment epoch  the group epoch that the target assignment was computed for; never above the former
//   member epoch      the assignment epoch that a member has reached, or the one it is leaving behind
//
// A member reaches the target in steps: it gives up what it must (kUnrevoked, in its old epoch), then moves
// to the target's epoch and gets what is free, then, as others let go, the rest (kUnreleased), and is
// kStable.
//
// All of it but timers and the metadata deadline is in the log, one record per fact; replay is the only
// writer. Owned by its Group, guarded by the shard's lock. Always: a partition has at most one owner, pending
// revocation included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "coordinator/group/classic_group.h"
#include "coordinator/group/group_timers.h"
#include "coordinator/group/member_table.h"
#include "coordinator/group/metadata_view.h"
#include "coordinator/group/partitions.h"
#include "coordinator/group/subscribers.h"

namespace milena::coordinator {

// Member epochs with a meaning of their own, in requests and in records.
inline constexpr std::int32_t kJoinEpoch = 0;
inline constexpr std::int32_t kLeaveEpoch = -1;
inline constexpr std::int32_t kStaticLeaveEpoch =
    -2;  // a static member that will be back: nobody gets its partitions

// Values as in the record.
enum class MemberState : std::int8_t { kStable = 0, kUnrevoked = 1, kUnreleased = 2, kUnknown = 127 };

// What a member of a consumer group that speaks the classic protocol told in JoinGroup (online migration).
struct ClassicMembership {
  std::int32_t session_timeout_ms = 0;
  std::vector<ClassicProtocol> protocols;

  bool operator==(const ClassicMembership&) const = default;
};

// A member as its records say. A decision copies it, changes the copy, and writes the records of what
// differs.
struct ConsumerMember {
  // ConsumerGroupMemberMetadata.
  std::optional<std::string> instance_id;
  std::optional<std::string> rack_id;
  std::string client_id;
  std::string client_host;
  TopicNames subscribed_topics;
  std::string subscribed_regex;  // empty: none
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::string> server_assignor;
  std::optional<ClassicMembership> classic;  // set: speaks the classic protocol

  // ConsumerGroupCurrentMemberAssignment.
  std::int32_t epoch = kJoinEpoch;
  std::int32_t previous_epoch = -1;
  MemberState state = MemberState::kStable;
  OwnedPartitions assigned;
  OwnedPartitions pending_revocation;

  bool reconciled_to(std::int32_t assignment_epoch) const {
    return state == MemberState::kStable && epoch == assignment_epoch;
  }
  void move_to_epoch(std::int32_t next) {
    previous_epoch = epoch;
    epoch = next;
  }
  bool operator==(const ConsumerMember&) const = default;
};

// A member in its group: the above, its id, its target and its timers.
struct ConsumerGroupMember : ConsumerMember {
  ConsumerGroupMember(Group& group, GroupTimers& timers, std::string member_id)
      : id(std::move(member_id)),
        session_timer(timers, {GroupTimer::Kind::kConsumerSession, &group, &id}),
        rebalance_timer(timers, {GroupTimer::Kind::kConsumerRebalance, &group, &id}),
        join_timer(timers, {GroupTimer::Kind::kConsumerJoin, &group, &id}),
        sync_timer(timers, {GroupTimer::Kind::kConsumerSync, &group, &id}) {}

  const ConsumerMember& as_recorded() const { return *this; }
  GroupTimers::Timer& timer(GroupTimer::Kind kind) {
    switch (kind) {
      case GroupTimer::Kind::kConsumerRebalance:
        return rebalance_timer;
      case GroupTimer::Kind::kConsumerJoin:
        return join_timer;
      case GroupTimer::Kind::kConsumerSync:
        return sync_timer;
      default:
        return session_timer;
    }
  }

  std::string id;
  const Assignment* target = nullptr;  // what it should own; null: the log says nothing. Kept by the group
  GroupTimers::Timer session_timer;
  GroupTimers::Timer rebalance_timer;
  GroupTimers::Timer join_timer;
  GroupTimers::Timer sync_timer;
};

// The topics that a regular expression stood for when it was looked up last.
struct ResolvedRegex {
  TopicNames topics;
  std::int64_t metadata_version = 0;
  std::int64_t timestamp_ms = 0;

  bool operator==(const ResolvedRegex&) const = default;
};

// Hashes a string and a view of it alike.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

// Member id -> what it should own.
using Targets = std::unordered_map<std::string, Assignment, TextHash, std::equal_to<>>;

using ResolvedRegexes = std::map<std::string, ResolvedRegex, std::less<>>;

class ConsumerGroup {
 public:
  ConsumerGroup(Group& group, GroupTimers& timers) : group_(group), timers_(timers) {}

  const MemberTable<ConsumerGroupMember>& members() const { return members_; }
  MemberTable<ConsumerGroupMember>& members() { return members_; }
  ConsumerGroupMember* find(std::string_view member_id) { return members_.find(member_id); }
  const ConsumerGroupMember* find(std::string_view member_id) const { return members_.find(member_id); }
  const ConsumerGroupMember* find_static(std::string_view instance_id) const;
  ConsumerGroupMember* find_static(std::string_view instance_id) {
    return const_cast<ConsumerGroupMember*>(std::as_const(*this).find_static(instance_id));
  }
  // Null if the member has none.
  const Assignment* target(std::string_view member_id) const;
  const Targets& targets() const { return targets_; }
  const ResolvedRegexes& regexes() const { return regexes_; }

  // Does any member own the partition, or still have to give it up?
  bool is_owned(const Uuid& topic_id, std::int32_t partition) const;
  std::size_t owned_count() const { return owners_.size(); }
  bool is_subscribed_to(std::string_view topic) const;
  std::size_t classic_member_count() const { return classic_member_count_; }
  const Subscribers<std::string>& subscribers() const { return subscribers_; }
  // "Empty", "Assigning", "Reconciling" or "Stable".
  std::string_view state() const;
  // The assignor that most members ask for; ties go to the name that sorts first. `ignored` does not count.
  std::optional<std::string_view> preferred_assignor(const ConsumerMember* ignored = nullptr,
                                                     const ConsumerMember* added = nullptr) const;
  // Is the member only waiting for others to let go?
  bool waits_for_others(const ConsumerGroupMember& member) const;

  // --- Replay.
  // Returns the member, new if need be; `change` edits what its records say.
  ConsumerGroupMember& update(std::string_view member_id, const std::function<void(ConsumerMember&)>& change);
  void remove(std::string_view member_id);
  void set_target(std::string_view member_id, Assignment target);
  void remove_target(std::string_view member_id);
  void set_regex(std::string_view regex, ResolvedRegex resolved);
  void remove_regex(std::string_view regex);

  std::int32_t epoch = 1;
  std::int64_t metadata_hash = 0;
  std::int32_t assignment_epoch = 1;
  std::int64_t assignment_timestamp_ms = 0;    // 0: unknown
  bool has_partition_metadata_record = false;  // written by Kafka before 4.1; to be deleted at the next bump

  // --- State that verbs change directly: it may be lost.
  bool metadata_checked = false;  // the hash reflects the metadata of now
  std::int64_t regexes_resolved_at_ms = 0;
  std::int64_t regexes_resolved_version = -1;

 private:
  struct PartitionKeyHash {
    std::size_t operator()(const std::pair<Uuid, std::int32_t>& key) const noexcept {
      return std::hash<Uuid>{}(key.first) * 31 + static_cast<std::size_t>(key.second);
    }
  };

  void count(const ConsumerGroupMember& member, int by);
  void forget_static(const ConsumerGroupMember& member);

  Group& group_;
  GroupTimers& timers_;
  MemberTable<ConsumerGroupMember> members_;
  std::map<std::string, std::string, std::less<>> static_members_;  // instance id -> member id
  Subscribers<std::string> subscribers_;
  Targets targets_;
  ResolvedRegexes regexes_;
  // How many members own a partition. More than one only while records of a compacted log are replayed.
  std::unordered_map<std::pair<Uuid, std::int32_t>, int, PartitionKeyHash> owners_;
  std::size_t classic_member_count_ = 0;
};

}  // namespace milena::coordinator
