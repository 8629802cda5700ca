// Who may commit and fetch offsets in a consumer group.
#include "coordinator/group/consumer_groups.h"

namespace milena::coordinator {
namespace {

// A member that speaks the classic protocol knows generations, the others epochs.
ErrorCode stale(const ConsumerMember& member) {
  return member.classic ? ErrorCode::kIllegalGeneration : ErrorCode::kStaleMemberEpoch;
}

constexpr int kConsumerProtocolVersion =
    9;  // of OffsetCommit: the first that consumer-protocol members may use

}  // namespace

std::expected<const ConsumerGroupMember*, ErrorCode> ConsumerGroups::check_commit(
    const Group& group, std::string_view member_id, std::optional<std::string_view> instance_id,
    std::int32_t member_epoch, bool transactional, int api_version) const {
  const ConsumerGroup& g = *group.consumer;
  // Epoch -1: an admin client, or a consumer that assigns itself. Nobody is in its way in an empty group.
  if (member_epoch < 0 && g.members().empty()) return nullptr;
  // Old transactional producers do not say for whom they commit.
  if (transactional && member_epoch == -1 && member_id.empty() && !instance_id) return nullptr;
  const ConsumerGroupMember* member = g.find(member_id);
  if (member == nullptr) return std::unexpected(ErrorCode::kUnknownMemberId);
  if (!transactional && !member->classic && api_version < kConsumerProtocolVersion) {
    return std::unexpected(ErrorCode::kUnsupportedVersion);
  }
  if (member_epoch == member->epoch) return nullptr;
  if (member_epoch > member->epoch) return std::unexpected(stale(*member));
  return member;
}

ErrorCode ConsumerGroups::check_commit(const ConsumerGroupMember& member, std::int32_t member_epoch,
                                       const Uuid& topic_id, std::int32_t partition) {
  const OwnedPartition* owned = find(member.assigned, topic_id, partition);
  if (owned == nullptr) owned = find(member.pending_revocation, topic_id, partition);
  return owned == nullptr || member_epoch < owned->epoch ? stale(member) : ErrorCode::kNone;
}

ErrorCode ConsumerGroups::check_fetch(const Group& group, std::optional<std::string_view> member_id,
                                      std::int32_t member_epoch) const {
  // Clients that do not say who they are may read.
  if (!member_id && member_epoch < 0) return ErrorCode::kNone;
  const ConsumerGroupMember* member = group.consumer->find(member_id.value_or(""));
  if (member == nullptr) return ErrorCode::kUnknownMemberId;
  return member_epoch == member->epoch ? ErrorCode::kNone : stale(*member);
}

}  // namespace milena::coordinator
