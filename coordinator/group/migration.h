// Online migration: a group with members changes its protocol (group.consumer.migration.policy).
//
// A classic group becomes a consumer group when a member joins it by the consumer protocol, and a consumer
// group a classic one when the last member that speaks the consumer protocol goes. Offsets stay, members keep
// their ids and partitions. Each function decides or writes records; replay does the change.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "coordinator/group/config.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/group.h"
#include "coordinator/group/metadata_hash.h"
#include "coordinator/group/metadata_view.h"
#include "coordinator/group/reply.h"

namespace milena::coordinator {

// The classic group as a consumer group: the members and what they own, as of the last generation. Fills
// `converted.consumer`, which has no timers running. Refused (kGroupIdNotFound, as in Kafka) where the policy
// forbids it, the group is not one of consumers or too large, or the blobs of its members cannot be read or
// would lose something.
Decision<void> convert_to_consumer(const ClassicGroup& group, const GroupConfig& config,
                                   const MetadataView& metadata, TopicHashes& hashes, Group& converted);
// Every record of a consumer group, which has members.
void append_consumer_group(GroupOutcome& out, const Group& group);

// A member that takes another's place while the group changes its protocol.
struct Replacement {
  std::string_view replaced_id;
  std::string_view member_id;
  const ConsumerMember* member = nullptr;
};

// The record of the consumer group as a classic one, in `arena`, without the members that leave. Nothing if
// the policy forbids it, a member that stays does not speak the classic protocol, nobody stays or too many
// do.
std::optional<protocol::GroupMetadataValue> convert_to_classic(
    const Group& group, std::span<const std::string> leaving, const std::optional<Replacement>& replacement,
    const GroupConfig& config, const MetadataView& metadata, std::int64_t now_ms, Arena& arena);

}  // namespace milena::coordinator
