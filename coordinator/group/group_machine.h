// GroupMachine: the groups and offsets of one partition of __consumer_offsets, as a state machine without
// I/O.
//
// Runs in a Shard (coordinator/runtime/shard.h), under its lock. Requests are answered by handle(); see
// reply.h for what comes back. The handlers in the broker split requests that name several groups by
// partition, check authorisation, and fill in topic names and ids; everything else about a request is decided
// here.
//
// Always: equal logs give equal groups and offsets, whether records were replayed as they were written or
// read back, compacted or not. Nothing that a client sends or a log holds breaks the machine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "coordinator/group/classic_groups.h"
#include "coordinator/group/consumer_groups.h"
#include "coordinator/group/group_replay.h"
#include "coordinator/group/group_store.h"
#include "coordinator/group/offset_verbs.h"
#include "coordinator/group/reply.h"
#include "coordinator/group/request_context.h"
#include "coordinator/runtime/log_batch.h"

namespace milena::coordinator {

// What became different about topics.
struct MetadataChange {
  std::shared_ptr<const MetadataView> view;
  std::vector<std::string> changed_topics;  // created, deleted, grown, or with other racks
  bool topics_created = false;
  std::vector<DeletedTopic> deleted_topics;
};

class GroupMachine {
 public:
  using Reply = GroupReply;

  // `rng` makes member ids: unpredictable outside of tests. It outlives the machine.
  GroupMachine(std::shared_ptr<const GroupConfig> config, std::shared_ptr<const MetadataView> metadata,
               Rng& rng);

  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::JoinGroupRequest& request, GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::SyncGroupRequest& request, GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::HeartbeatRequest& request, GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::LeaveGroupRequest& request, GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::ConsumerGroupHeartbeatRequest& request, GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::OffsetCommitRequest& request, GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::TxnOffsetCommitRequest& request, GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context, const FetchOffsets& request,
              GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::OffsetDeleteRequest& request, GroupOutcome& out);
  // The groups of these requests are those of this partition; authorized_operations are the handler's.
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::DeleteGroupsRequest& request, GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::DescribeGroupsRequest& request, GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::ConsumerGroupDescribeRequest& request, GroupOutcome& out);
  void handle(Now now, ReplyToken token, const RequestContext& context,
              const protocol::ListGroupsRequest& request, GroupOutcome& out);

  // For Shard::apply().
  void metadata_changed(Now now, const MetadataChange& change, GroupOutcome& out);
  void configure(std::shared_ptr<const GroupConfig> config) { store_.config = std::move(config); }

  // What Shard asks of a machine; see the Machine concept there.
  void replay(const LogRecord& record) { replay_.replay(record); }
  void replay_marker(protocol::ProducerId producer, bool committed) {
    replay_.end_transaction(producer, committed);
  }
  void loaded(Now now, GroupOutcome& out);
  void release(ErrorCode error, GroupOutcome& out);
  std::optional<Instant> next_deadline() const { return store_.timers.next_deadline(); }
  bool fire(Now now, GroupOutcome& out);
  static void fail(GroupReply& reply, ErrorCode error) { set_error(reply, error); }
  template <class Request>
  static GroupReply refuse(const RequestContext& context, const Request& request, ErrorCode error,
                           Arena& memory) {
    if constexpr (requires { refusal(request, error, context.api_version, memory); }) {
      return refusal(request, error, context.api_version, memory);
    } else if constexpr (requires { refusal(request, error, memory); }) {
      return refusal(request, error, memory);
    } else {
      return refusal(request, error);
    }
  }

  const GroupTable& groups() const { return store_.groups; }
  const RebalanceCounts& rebalances() const { return store_.rebalances; }
  // Records that could not be read, or are of kinds that this version does not know.
  std::uint64_t skipped_records() const { return replay_.skipped_records(); }

 private:
  void join(ReplyToken token, const RequestContext& context, const protocol::JoinGroupRequest& request,
            GroupOutcome& out);

  GroupStore store_;
  ClassicGroups classic_;
  ConsumerGroups consumer_;
  OffsetVerbs offsets_;
  GroupReplay replay_;
  GroupTimers::Timer expiry_timer_;
};

}  // namespace milena::coordinator
