// The records of __consumer_offsets as the group machine writes them: Kafka's types, Kafka's versions.
// docs/formats/consumer_offsets.md is the table.
//
// Each function encodes one record into the outcome's scratch and appends it there.
#pragma once

#include <cstdint>
#include <string_view>

#include "coordinator/group/classic_group.h"
#include "coordinator/group/consumer_group.h"
#include "coordinator/group/offsets.h"
#include "coordinator/group/partitions.h"
#include "coordinator/group/reply.h"
#include "protocol/group_metadata_record.gen.h"

namespace milena::coordinator {

// Offsets.
void append_offset(GroupOutcome& out, std::string_view group_id, std::string_view topic,
                   std::int32_t partition, const CommittedOffset& offset);
void append_offset_tombstone(GroupOutcome& out, std::string_view group_id, std::string_view topic,
                             std::int32_t partition);

// Classic groups.
void append_classic_group(GroupOutcome& out, std::string_view group_id,
                          const protocol::GroupMetadataValue& value);
void append_classic_group_tombstone(GroupOutcome& out, std::string_view group_id);

// Consumer groups.
void append_member(GroupOutcome& out, std::string_view group_id, std::string_view member_id,
                   const ConsumerMember& member);
void append_group_epoch(GroupOutcome& out, std::string_view group_id, std::int32_t epoch,
                        std::int64_t metadata_hash);
void append_target(GroupOutcome& out, std::string_view group_id, std::string_view member_id,
                   const Assignment& target);
void append_target_epoch(GroupOutcome& out, std::string_view group_id, std::int32_t epoch,
                         std::int64_t timestamp_ms);
void append_current_assignment(GroupOutcome& out, std::string_view group_id, std::string_view member_id,
                               const ConsumerMember& member);
void append_regex(GroupOutcome& out, std::string_view group_id, std::string_view regex,
                  const ResolvedRegex& resolved);
void append_regex_tombstone(GroupOutcome& out, std::string_view group_id, std::string_view regex);
void append_partition_metadata_tombstone(GroupOutcome& out, std::string_view group_id);
// The three records of a member, in the order in which they may go.
void append_member_tombstones(GroupOutcome& out, std::string_view group_id, std::string_view member_id);
// Every record of the group, which may have members.
void append_consumer_group_tombstones(GroupOutcome& out, std::string_view group_id,
                                      const ConsumerGroup& group);

}  // namespace milena::coordinator
