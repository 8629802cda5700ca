// ConsumerGroups: what members of consumer groups may do (KIP-848), members that still speak the classic
// protocol included, and what their silence does.
//
// Part of GroupMachine. Everything about a group but its timers changes through records. Rules, error codes
// and the order of records are those of Kafka 4.3. A regular expression is resolved in the heartbeat that
// brings it, not later as in Kafka: its member gets partitions at once.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/group/classic_groups.h"
#include "coordinator/group/group_change.h"
#include "coordinator/group/group_store.h"
#include "coordinator/group/metadata_hash.h"
#include "coordinator/group/reply.h"
#include "coordinator/group/request_context.h"

namespace milena::coordinator {

// Why a request was refused, in words for its reply.
struct Refusal {
  ErrorCode code = ErrorCode::kNone;
  std::string message;
};

inline std::unexpected<Refusal> refuse(ErrorCode code, std::string message) {
  return std::unexpected(Refusal{code, std::move(message)});
}

template <class T>
using Decision = std::expected<T, Refusal>;

// A member whose time is up stays until the log has taken that down; the next try comes this much later.
inline constexpr std::int32_t kFenceRetryMs = 500;

class ConsumerGroups {
 public:
  ConsumerGroups(GroupStore& store, ClassicGroups& classic) : store_(store), classic_(classic) {}

  void heartbeat(ReplyToken token, const RequestContext& context,
                 const protocol::ConsumerGroupHeartbeatRequest& request, GroupOutcome& out);

  // Members that speak the classic protocol in a consumer group.
  void join_classic(Group& group, ReplyToken token, const RequestContext& context,
                    const protocol::JoinGroupRequest& request, GroupOutcome& out);
  void sync_classic(Group& group, ReplyToken token, const protocol::SyncGroupRequest& request,
                    GroupOutcome& out);
  ErrorCode heartbeat_classic(Group& group, const protocol::HeartbeatRequest& request);
  // One entry per member of the request.
  void leave_classic(Group& group, const protocol::LeaveGroupRequest& request,
                     std::span<protocol::LeaveGroupResponse::MemberResponse> results, GroupOutcome& out);

  // May this member commit? If it may, but is behind, the member: each partition's epoch must be looked at
  // then.
  std::expected<const ConsumerGroupMember*, ErrorCode> check_commit(
      const Group& group, std::string_view member_id, std::optional<std::string_view> instance_id,
      std::int32_t member_epoch, bool transactional, int api_version) const;
  // ... and for one partition.
  static ErrorCode check_commit(const ConsumerGroupMember& member, std::int32_t member_epoch,
                                const Uuid& topic_id, std::int32_t partition);
  ErrorCode check_fetch(const Group& group, std::optional<std::string_view> member_id,
                        std::int32_t member_epoch) const;

  // A timer of the member rang: it is out.
  void time_out(Group& group, GroupTimer::Kind kind, std::string_view member_id, GroupOutcome& out);

  // Keeps a member's timers in step with what its records say. Called on replay.
  void watch(const Group& group, ConsumerGroupMember& member, bool is_new);
  // After loading: time passes for the members from here on.
  void loaded(Group& group);
  // The topic was created or deleted, or its partitions or racks changed.
  void topic_changed(std::string_view topic);
  // Topics were created: regular expressions may match more now.
  void topics_created() { topics_created_version_ = store_.metadata->version(); }

 private:
  using Request = protocol::ConsumerGroupHeartbeatRequest;
  using Response = protocol::ConsumerGroupHeartbeatResponse;

  // What a request asks a member to become, whichever protocol it came by.
  struct Wish {
    std::string member_id;
    ConsumerMember before;    // as it is; as it begins, if it is new or takes a static member's place
    ConsumerMember member;    // as it should be; still to be reconciled
    std::string replaced_id;  // the static member whose place it takes; else empty
    std::optional<Assignment> reported;

    std::string_view inherited_id() const { return replaced_id.empty() ? member_id : replaced_id; }
  };
  // A wish fulfilled: the records are in the outcome.
  struct Fulfilled {
    ConsumerMember member;
    bool rebalance_needed = false;  // the target is older than the group; only if asked not to compute it
  };
  struct RegexPlan {
    std::optional<ResolvedRegexes> changed;  // else as they are
    bool bumps_epoch = false;
  };

  // consumer_heartbeat.cc
  bool answer_idle(Group& group, ReplyToken token, const RequestContext& context, const Request& request,
                   GroupOutcome& out);
  Decision<Response> decide_heartbeat(const RequestContext& context, const Request& request,
                                      GroupOutcome& out);
  Decision<Response> decide_on_group(Group& group, const RequestContext& context, const Request& request,
                                     GroupOutcome& out);
  Decision<Wish> find_or_join(const ConsumerGroup& group, const Request& request) const;
  Decision<Wish> find_or_join_static(const ConsumerGroup& group, std::string member_id,
                                     const Request& request) const;
  Decision<void> check_size(const ConsumerGroup& group, std::string_view member_id,
                            std::optional<std::string_view> instance_id) const;

  // consumer_rebalance.cc
  Decision<Fulfilled> fulfill(Group& group, const Wish& wish, const TopicFilter* filter,
                              bool compute_target_now, GroupOutcome& out);
  Decision<RegexPlan> plan_regexes(Group& group, const Wish& wish, const TopicFilter* filter,
                                   GroupOutcome& out);
  bool regexes_are_due(const ConsumerGroup& group) const;
  std::int32_t advance_epoch(Group& group, const GroupChange& change, bool bump, GroupOutcome& out);
  // The new target of the wish's member, if it changes.
  std::optional<Assignment> renew_targets(Group& group, const GroupChange& change, const Wish& wish,
                                          std::int32_t epoch, GroupOutcome& out);

  // consumer_leave.cc
  Decision<Response> decide_leave(const Request& request, GroupOutcome& out);
  void fence_members(Group& group, std::span<const std::string> member_ids, GroupOutcome& out);

  // consumer_classic_member.cc
  Decision<protocol::JoinGroupResponse> decide_join(Group& group, const RequestContext& context,
                                                    const protocol::JoinGroupRequest& request,
                                                    GroupOutcome& out);
  Decision<Wish> find_or_join_classic(const ConsumerGroup& group, std::string member_id,
                                      const protocol::JoinGroupRequest& request) const;
  std::expected<ConsumerGroupMember*, ErrorCode> find_classic(ConsumerGroup& group,
                                                              std::string_view member_id,
                                                              std::optional<std::string_view> instance_id,
                                                              std::int32_t generation) const;

  GroupStore& store_;
  ClassicGroups& classic_;
  TopicHashes hashes_;
  std::int64_t topics_created_version_ = 0;
};

}  // namespace milena::coordinator
