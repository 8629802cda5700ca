// ClassicGroup: the state of a group whose members agree among themselves (JoinGroup, SyncGroup).
//
//   Empty                a member joins                    PreparingRebalance
//   PreparingRebalance   all have joined, or time is up    CompletingRebalance; Empty if nobody is left
//   CompletingRebalance  the leader syncs                  Stable
//   CompletingRebalance  a member joins, leaves or dies    PreparingRebalance
//   Stable               a member joins, leaves or dies    PreparingRebalance
//
// The log holds one record per group: the generation that was Stable (or Empty) last. What happens between,
// who has joined so far and who waits, is lost with the coordinator; members then find the last stable
// generation and rejoin.
//
// Owned by its Group, guarded by the shard's lock.
// Always: the leader is a member, and there is one unless the group is Empty; every member supports the
// protocol of a generation; a request waits in one place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/group/group_timers.h"
#include "coordinator/group/member_table.h"
#include "coordinator/runtime/outcome.h"

namespace milena::coordinator {

enum class ClassicState : std::uint8_t { kEmpty, kPreparingRebalance, kCompletingRebalance, kStable };

// Kafka's name of the state, as tools show it.
std::string_view to_string(ClassicState state);

struct ClassicProtocol {
  std::string name;
  std::string metadata;

  bool operator==(const ClassicProtocol&) const = default;
};

struct ClassicMember {
  ClassicMember(Group& group, GroupTimers& timers, std::string member_id)
      : id(std::move(member_id)), session(timers, {GroupTimer::Kind::kClassicSession, &group, &id}) {}

  // The protocol's metadata; null if the member does not support it.
  const std::string* metadata(std::string_view protocol) const;

  std::string id;
  std::optional<std::string> instance_id;  // group.instance.id of a static member (KIP-345)
  std::string client_id;
  std::string client_host;
  std::int32_t rebalance_timeout_ms = 0;
  std::int32_t session_timeout_ms = 0;
  std::vector<ClassicProtocol> protocols;  // most wanted first, each name once
  std::string assignment;

  bool is_new = false;     // joined for the first time and waits for the answer
  bool must_sync = false;  // set through ClassicGroup, as the next
  ReplyToken awaiting_join = 0;
  ReplyToken awaiting_sync = 0;
  GroupTimers::Timer session;
};

class ClassicGroup {
 public:
  using Protocols = std::span<const ClassicProtocol>;

  ClassicGroup(Group& group, GroupTimers& timers)
      : join_timer(timers, {GroupTimer::Kind::kClassicJoin, &group, nullptr}),
        initial_timer(timers, {GroupTimer::Kind::kClassicInitial, &group, nullptr}),
        sync_timer(timers, {GroupTimer::Kind::kClassicSync, &group, nullptr}),
        group_(group),
        timers_(timers) {}

  // --- Members.
  const MemberTable<ClassicMember>& members() const { return members_; }
  MemberTable<ClassicMember>& members() { return members_; }
  ClassicMember* find(std::string_view member_id) { return members_.find(member_id); }
  const ClassicMember* find(std::string_view member_id) const { return members_.find(member_id); }
  // The member with this group.instance.id; null if there is none.
  ClassicMember* find_static(std::string_view instance_id);
  bool is_leader(std::string_view member_id) const { return leader && *leader == member_id; }

  // The first member becomes the leader. The caller answers for supports() before.
  ClassicMember& add(std::string member_id, std::optional<std::string> instance_id,
                     std::vector<ClassicProtocol> protocols);
  // Nobody may wait on the member. If it led, the longest standing member leads.
  void remove(std::string_view member_id);
  // A static member came back: same member, other id. Nobody may wait on it.
  void rename(ClassicMember& member, std::string new_id);
  void set_protocols(ClassicMember& member, std::vector<ClassicProtocol> protocols);

  // Member ids handed out and not claimed yet (KIP-394).
  bool is_pending(std::string_view member_id) const { return pending_.contains(member_id); }
  std::size_t pending_count() const { return pending_.size(); }
  void add_pending(std::string_view member_id, Instant deadline);
  void remove_pending(std::string_view member_id);

  // --- Who waits. Each returns the token that waited there before.
  ReplyToken await_join(ClassicMember& member, ReplyToken token);
  ReplyToken take_join(ClassicMember& member) { return await_join(member, 0); }
  ReplyToken await_sync(ClassicMember& member, ReplyToken token) {
    return std::exchange(member.awaiting_sync, token);
  }
  ReplyToken take_sync(ClassicMember& member) { return await_sync(member, 0); }

  std::size_t awaiting_join_count() const { return awaiting_join_count_; }
  bool all_joined() const { return members_.size() == awaiting_join_count_ && pending_.empty(); }
  // Of the members that got a generation: who has not asked for its assignment yet.
  void expect_sync(ClassicMember& member, bool expected);
  bool all_synced() const { return must_sync_count_ == 0; }

  // --- Questions.
  // Longest rebalance timeout of the members, in ms; 0 without members.
  std::int32_t rebalance_timeout_ms() const;
  // May a member with these protocols join? Empty groups take any; others the type they have and a protocol
  // that all members share.
  bool supports(std::string_view protocol_type, Protocols protocols) const;
  // The protocol that all members support and most prefer; ties go to the name that sorts first. With
  // `changed`: as if that member's protocols were `protocols`. Nothing if no protocol is common to all.
  std::optional<std::string_view> vote(const ClassicMember* changed = nullptr,
                                       Protocols protocols = {}) const;
  bool uses_consumer_protocol() const { return protocol_type == "consumer"; }
  // Is some member subscribed to the topic? Yes, to be safe, if a consumer's subscription cannot be read.
  bool is_subscribed_to(std::string_view topic) const;

  // --- State that verbs change directly: it may be lost.
  ClassicState state = ClassicState::kEmpty;
  std::int32_t generation = 0;
  std::optional<std::string> protocol_type;  // none: never had members
  std::optional<std::string> protocol;       // of the generation
  std::optional<std::string> leader;
  std::int64_t state_timestamp_ms = -1;  // when it became Empty or began the generation; -1 unknown
  bool initial = false;                  // this rebalance began in Empty: it waits for the initial delay
  bool member_added = false;             // ... and somebody came since the last look
  std::int32_t initial_remaining_ms = 0;

  GroupTimers::Timer join_timer;
  GroupTimers::Timer initial_timer;
  GroupTimers::Timer sync_timer;

 private:
  struct Pending {
    Pending(Group& group, GroupTimers& timers, std::string member_id)
        : id(std::move(member_id)), timer(timers, {GroupTimer::Kind::kClassicPending, &group, &id}) {}
    std::string id;
    GroupTimers::Timer timer;
  };

  Group& group_;
  GroupTimers& timers_;
  MemberTable<ClassicMember> members_;
  std::map<std::string, std::string, std::less<>> static_members_;  // instance id -> member id
  std::map<std::string_view, std::unique_ptr<Pending>> pending_;
  std::map<std::string, std::size_t, std::less<>> support_;  // protocol -> members that know it
  std::size_t awaiting_join_count_ = 0;
  std::size_t must_sync_count_ = 0;
};

}  // namespace milena::coordinator
