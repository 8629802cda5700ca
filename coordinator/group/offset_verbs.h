// OffsetVerbs: committing, fetching, deleting and expiring the offsets of groups of every kind.
//
// Part of GroupMachine. Offsets change through records only. Rules and error codes are those of Kafka 4.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/group/classic_groups.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/group_store.h"
#include "coordinator/group/reply.h"
#include "coordinator/group/request_context.h"

namespace milena::coordinator {

struct DeletedTopic {
  Uuid id;
  std::string name;
};

class OffsetVerbs {
 public:
  OffsetVerbs(GroupStore& store, ClassicGroups& classic, ConsumerGroups& consumer)
      : store_(store), classic_(classic), consumer_(consumer) {}

  // Topics and partitions exist and may be read: the handler has seen to that, and has given every topic its
  // name and, where known, its id.
  void commit(ReplyToken token, const RequestContext& context, const protocol::OffsetCommitRequest& request,
              GroupOutcome& out);
  // Counts once the producer's transaction commits. Whether the producer may, and takes part, the caller has
  // checked.
  void commit_in_transaction(ReplyToken token, const RequestContext& context,
                             const protocol::TxnOffsetCommitRequest& request, GroupOutcome& out);
  void fetch(ReplyToken token, const RequestContext& context, const FetchOffsets& request,
             GroupOutcome& out) const;
  void remove(ReplyToken token, const protocol::OffsetDeleteRequest& request, GroupOutcome& out);

  // Tombstones for everything the group committed, or holds for transactions.
  void append_all_tombstones(const Group& group, GroupOutcome& out) const;
  // Tombstones for what offsets.retention.minutes has passed over; and for groups that have nothing left.
  void expire(GroupOutcome& out) const;
  void topics_deleted(const std::vector<DeletedTopic>& topics, GroupOutcome& out) const;

 private:
  struct CommitCheck {
    ErrorCode error = ErrorCode::kNone;
    const ConsumerGroupMember* behind = nullptr;  // set: look at each partition
  };
  CommitCheck check_commit(std::string_view group_id, std::string_view member_id,
                           std::optional<std::string_view> instance_id, std::int32_t generation,
                           bool transactional, int api_version);
  bool metadata_too_large(std::optional<std::string_view> metadata) const;

  GroupStore& store_;
  ClassicGroups& classic_;
  ConsumerGroups& consumer_;
};

// Tombstones of the group's body, if it has one.
void append_group_tombstones(const Group& group, GroupOutcome& out);

}  // namespace milena::coordinator
