#include "coordinator/group/reconcile.h"

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "protocol/error_code.h"

namespace milena::coordinator {
namespace {

void insert(OwnedPartitions& owned, const Uuid& topic_id, OwnedPartition each) {
  auto& partitions = owned[topic_id];
  partitions.insert(std::ranges::lower_bound(partitions, each.partition, {}, &OwnedPartition::partition),
                    each);
}

bool wants(const ReconcileInput& input, const Uuid& topic_id, std::int32_t partition) {
  if (input.target == nullptr || !input.is_subscribed(topic_id)) return false;
  const auto topic = input.target->find(topic_id);
  return topic != input.target->end() && contains(topic->second, partition);
}

// Does the member still have any of these? If it does not say, it does.
bool still_has(const ReconcileInput& input, const OwnedPartitions& revoked) {
  if (input.reported == nullptr) return true;
  for (const auto& [topic_id, partitions] : *input.reported) {
    for (const std::int32_t partition : partitions) {
      if (find(revoked, topic_id, partition) != nullptr) return true;
    }
  }
  return false;
}

// Towards the target: first let go, then take.
ConsumerMember step_to_target(const ConsumerMember& member, const ReconcileInput& input) {
  ConsumerMember next = member;
  OwnedPartitions assigned, revoked;
  for (const auto& [topic_id, partitions] : member.assigned) {
    for (const OwnedPartition& each : partitions) {
      insert(wants(input, topic_id, each.partition) ? assigned : revoked, topic_id, each);
    }
  }
  if (!revoked.empty() && still_has(input, revoked)) {
    next.state = MemberState::kUnrevoked;
    next.move_to_epoch(member.epoch);
    next.assigned = std::move(assigned);
    next.pending_revocation = std::move(revoked);
    return next;
  }
  bool waits = false;
  if (input.target != nullptr) {
    for (const auto& [topic_id, partitions] : *input.target) {
      if (!input.is_subscribed(topic_id)) continue;
      for (const std::int32_t partition : partitions) {
        if (find(assigned, topic_id, partition) != nullptr) continue;
        // What it had to give up itself is free: it has said that it did.
        if (!is_mutant("assign_unreleased") && input.is_owned(topic_id, partition) &&
            find(member.pending_revocation, topic_id, partition) == nullptr) {
          waits = true;
        } else {
          insert(assigned, topic_id, {partition, input.target_epoch});
        }
      }
    }
  }
  next.state = waits ? MemberState::kUnreleased : MemberState::kStable;
  next.move_to_epoch(input.target_epoch);
  next.assigned = std::move(assigned);
  next.pending_revocation.clear();
  return next;
}

// The target is not new, but the member has unsubscribed from topics that it owns: those go, nothing else
// changes.
ConsumerMember drop_unsubscribed(const ConsumerMember& member, const ReconcileInput& input) {
  ConsumerMember next = member;
  for (const auto& [topic_id, partitions] : member.assigned) {
    if (input.is_subscribed(topic_id)) continue;
    for (const OwnedPartition& each : partitions) {
      if (find(next.pending_revocation, topic_id, each.partition) == nullptr) {
        insert(next.pending_revocation, topic_id, each);
      }
    }
    next.assigned.erase(topic_id);
  }
  if (next.assigned == member.assigned) return member;
  next.move_to_epoch(member.epoch);
  if (still_has(input, next.pending_revocation)) {
    next.state = MemberState::kUnrevoked;
  } else {
    next.pending_revocation = member.pending_revocation;
  }
  return next;
}

}  // namespace

Result<ConsumerMember> reconcile(const ConsumerMember& member, const ReconcileInput& input) {
  switch (member.state) {
    case MemberState::kStable:
      if (member.epoch != input.target_epoch) return step_to_target(member, input);
      return input.subscription_changed ? drop_unsubscribed(member, input) : member;
    case MemberState::kUnrevoked:
      if (!still_has(input, member.pending_revocation)) return step_to_target(member, input);
      return input.subscription_changed ? drop_unsubscribed(member, input) : member;
    case MemberState::kUnreleased:
      return step_to_target(member, input);
    case MemberState::kUnknown:
      if (input.reported == nullptr || !input.reported->empty()) {
        return fail(
            ErrorCode::kFencedMemberEpoch,
            "The consumer group member is in a unknown state. The member must abandon all its partitions "
            "and rejoin.");
      }
      return step_to_target(member, input);
  }
  return member;
}

}  // namespace milena::coordinator
