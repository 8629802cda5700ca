#include "coordinator/group/offset_verbs.h"

#include <algorithm>
#include <limits>

#include "coordinator/group/records.h"
#include "coordinator/runtime/java_string.h"

namespace milena::coordinator {

using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using protocol::OffsetFetchResponse;
using protocol::TxnOffsetCommitRequest;
using protocol::TxnOffsetCommitResponse;

namespace {

constexpr int kGroupIdNotFoundVersion = 9;  // of OffsetCommit: the first that can say so

std::int64_t expire_timestamp(std::int64_t retention_ms, std::int64_t now_ms) {
  if (retention_ms == -1) return -1;
  if (retention_ms > std::numeric_limits<std::int64_t>::max() - now_ms)
    return std::numeric_limits<std::int64_t>::max();
  return std::max<std::int64_t>(now_ms + retention_ms, 0);
}

}  // namespace

void append_group_tombstones(const Group& group, GroupOutcome& out) {
  if (group.classic) append_classic_group_tombstone(out, group.id);
  if (group.consumer) append_consumer_group_tombstones(out, group.id, *group.consumer);
}

bool OffsetVerbs::metadata_too_large(std::optional<std::string_view> metadata) const {
  return metadata &&
         java_string_length(*metadata) > static_cast<std::size_t>(store_.config->offset_metadata_max_bytes);
}

OffsetVerbs::CommitCheck OffsetVerbs::check_commit(std::string_view group_id, std::string_view member_id,
                                                   std::optional<std::string_view> instance_id,
                                                   std::int32_t generation, bool transactional,
                                                   int api_version) {
  Group* group = store_.groups.find(group_id);
  if (group == nullptr) {
    // Who does not use group management makes a simple group by committing.
    if (generation < 0) return {};
    const bool can_say_so = !transactional && api_version >= kGroupIdNotFoundVersion;
    return {can_say_so ? ErrorCode::kGroupIdNotFound : ErrorCode::kIllegalGeneration};
  }
  if (group->consumer) {
    const auto member =
        consumer_.check_commit(*group, member_id, instance_id, generation, transactional, api_version);
    if (member) return {ErrorCode::kNone, *member};
    // TxnOffsetCommit knows generations only.
    const bool is_stale = transactional && member.error() == ErrorCode::kStaleMemberEpoch;
    return {is_stale ? ErrorCode::kIllegalGeneration : member.error()};
  }
  if (group->classic)
    return {classic_.check_commit(*group, member_id, instance_id, generation, transactional)};
  return {generation < 0 ? ErrorCode::kNone : ErrorCode::kUnknownMemberId};
}

void OffsetVerbs::commit(ReplyToken token, const RequestContext& context, const OffsetCommitRequest& request,
                         GroupOutcome& out) {
  using Topic = OffsetCommitResponse::OffsetCommitResponseTopic;
  const auto refuse_all = [&](ErrorCode error) {
    out.discard_records();
    out.reply(token, refusal(request, error, out.memory()));
  };
  const CommitCheck check = check_commit(request.group_id, request.member_id, request.group_instance_id,
                                         request.generation_id_or_member_epoch, false, context.api_version);
  if (check.error != ErrorCode::kNone) return refuse_all(check.error);
  OffsetCommitResponse response;
  response.topics = out.memory().array<Topic>(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    auto& answer = response.topics[t];
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    answer.partitions = out.memory().array<Topic::OffsetCommitResponsePartition>(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const auto& partition = topic.partitions[p];
      answer.partitions[p].partition_index = partition.partition_index;
      if (metadata_too_large(partition.committed_metadata)) {
        answer.partitions[p].error_code = ErrorCode::kOffsetMetadataTooLarge;
        continue;
      }
      if (check.behind != nullptr) {
        const ErrorCode error =
            ConsumerGroups::check_commit(*check.behind, request.generation_id_or_member_epoch, topic.topic_id,
                                         partition.partition_index.value);
        // One partition that the member lost spoils the whole commit, as in Kafka.
        if (error != ErrorCode::kNone) return refuse_all(error);
      }
      CommittedOffset offset;
      offset.offset = partition.committed_offset.value;
      offset.leader_epoch = partition.committed_leader_epoch.value;
      offset.metadata = partition.committed_metadata.value_or("");
      offset.commit_timestamp_ms = store_.now.wall_ms;
      offset.expire_timestamp_ms = expire_timestamp(request.retention_time_ms, store_.now.wall_ms);
      offset.topic_id = topic.topic_id;
      append_offset(out, request.group_id, topic.name, partition.partition_index.value, offset);
    }
  }
  out.reply(token, response);
}

void OffsetVerbs::commit_in_transaction(ReplyToken token, const RequestContext& context,
                                        const TxnOffsetCommitRequest& request, GroupOutcome& out) {
  using Topic = TxnOffsetCommitResponse::TxnOffsetCommitResponseTopic;
  const auto refuse_all = [&](ErrorCode error) {
    out.clear();
    out.reply(token, refusal(request, error, context.api_version, out.memory()));
  };
  if (request.group_id.empty()) return refuse_all(ErrorCode::kInvalidGroupId);
  const CommitCheck check = check_commit(request.group_id, request.member_id, request.group_instance_id,
                                         request.generation_id_or_member_epoch, true, context.api_version);
  if (check.error != ErrorCode::kNone) return refuse_all(check.error);
  out.in_transaction({request.producer_id, request.producer_epoch, context.consent});
  TxnOffsetCommitResponse response;
  response.topics = out.memory().array<Topic>(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    const auto known = store_.metadata->topic(topic.name);
    const Uuid topic_id = known ? known->id : Uuid{};
    // Nobody owns partitions of a topic that does not exist.
    if (check.behind != nullptr && !known) return refuse_all(ErrorCode::kIllegalGeneration);
    auto& answer = response.topics[t];
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    answer.partitions = out.memory().array<Topic::TxnOffsetCommitResponsePartition>(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const auto& partition = topic.partitions[p];
      answer.partitions[p].partition_index = partition.partition_index;
      if (metadata_too_large(partition.committed_metadata)) {
        answer.partitions[p].error_code = ErrorCode::kOffsetMetadataTooLarge;
        continue;
      }
      if (check.behind != nullptr) {
        const ErrorCode error = ConsumerGroups::check_commit(
            *check.behind, request.generation_id_or_member_epoch, topic_id, partition.partition_index.value);
        if (error != ErrorCode::kNone) return refuse_all(ErrorCode::kIllegalGeneration);
      }
      CommittedOffset offset;
      offset.offset = partition.committed_offset.value;
      offset.leader_epoch = partition.committed_leader_epoch.value;
      offset.metadata = partition.committed_metadata.value_or("");
      offset.commit_timestamp_ms = store_.now.wall_ms;
      append_offset(out, request.group_id, topic.name, partition.partition_index.value, offset);
    }
  }
  out.reply(token, response);
}

void OffsetVerbs::fetch(ReplyToken token, const RequestContext& context, const FetchOffsets& request,
                        GroupOutcome& out) const {
  using Answer = OffsetFetchResponse::OffsetFetchResponseGroup;
  using Topic = Answer::OffsetFetchResponseTopics;
  using Partition = Topic::OffsetFetchResponsePartitions;
  const Group* group = std::as_const(store_.groups).find(request.group.group_id);
  if (group != nullptr && group->consumer) {
    const ErrorCode error =
        consumer_.check_fetch(*group, request.group.member_id, request.group.member_epoch);
    if (error != ErrorCode::kNone) {
      out.reply(token, refusal(request, error, context.api_version, out.memory()));
      return;
    }
  }
  Arena& memory = out.memory();
  const auto look_up = [&](std::string_view topic, std::int32_t partition, const Uuid& topic_id) {
    Partition answer;
    answer.partition_index = partition;
    answer.committed_offset = protocol::kNoOffset;
    answer.metadata = "";
    if (group == nullptr) return answer;
    if (request.require_stable && group->offsets.is_pending(topic, partition)) {
      answer.error_code = ErrorCode::kUnstableOffsetCommit;
      return answer;
    }
    const CommittedOffset* committed = group->offsets.find(topic, partition);
    if (committed == nullptr) return answer;
    // Committed for a topic of this name that was deleted since.
    if (!committed->topic_id.is_zero() && !topic_id.is_zero() && committed->topic_id != topic_id)
      return answer;
    answer.committed_offset = committed->offset;
    answer.committed_leader_epoch = committed->leader_epoch;
    answer.metadata = memory.text(committed->metadata);
    return answer;
  };
  Answer response;
  response.group_id = request.group.group_id;
  if (request.group.topics) {
    response.topics = memory.array<Topic>(request.group.topics->size());
    for (std::size_t t = 0; t < response.topics.size(); ++t) {
      const auto& asked = (*request.group.topics)[t];
      Topic& answer = response.topics[t];
      answer.name = asked.name;
      answer.topic_id = asked.topic_id;
      answer.partitions = memory.array<Partition>(asked.partition_indexes.size());
      std::ranges::transform(asked.partition_indexes, answer.partitions.begin(),
                             [&](protocol::PartitionId partition) {
                               return look_up(asked.name, partition.value, asked.topic_id);
                             });
    }
  } else if (group != nullptr) {
    response.topics = memory.array<Topic>(group->offsets.committed().size());
    std::size_t t = 0;
    for (const auto& [name, partitions] : group->offsets.committed()) {
      Topic& answer = response.topics[t++];
      answer.name = memory.text(name);
      answer.partitions = memory.array<Partition>(partitions.size());
      std::ranges::transform(partitions, answer.partitions.begin(),
                             [&](const auto& each) { return look_up(answer.name, each.first, Uuid{}); });
    }
  }
  out.reply(token, response);
}

void OffsetVerbs::remove(ReplyToken token, const OffsetDeleteRequest& request, GroupOutcome& out) {
  using Topic = OffsetDeleteResponse::OffsetDeleteResponseTopic;
  const auto refuse_all = [&](ErrorCode error) {
    out.reply(token, OffsetDeleteResponse{.error_code = error});
  };
  if (request.group_id.empty()) return refuse_all(ErrorCode::kInvalidGroupId);
  const Group* group = store_.groups.find(request.group_id);
  if (group == nullptr) return refuse_all(ErrorCode::kGroupIdNotFound);
  // What other kinds of classic groups use their offsets for is not known here.
  if (group->classic && !group->is_empty() && !group->classic->uses_consumer_protocol()) {
    return refuse_all(ErrorCode::kNonEmptyGroup);
  }
  OffsetDeleteResponse response;
  response.topics = out.memory().array<Topic>(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    const bool subscribed = (group->classic && group->classic->is_subscribed_to(topic.name)) ||
                            (group->consumer && group->consumer->is_subscribed_to(topic.name));
    Topic& answer = response.topics[t];
    answer.name = topic.name;
    answer.partitions = out.memory().array<Topic::OffsetDeleteResponsePartition>(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const auto partition = topic.partitions[p].partition_index;
      answer.partitions[p].partition_index = partition;
      if (subscribed) {
        answer.partitions[p].error_code = ErrorCode::kGroupSubscribedToTopic;
      } else if (group->offsets.find(topic.name, partition.value) != nullptr ||
                 group->offsets.is_pending(topic.name, partition.value)) {
        append_offset_tombstone(out, group->id, topic.name, partition.value);
      }
    }
  }
  out.reply(token, response);
}

void OffsetVerbs::append_all_tombstones(const Group& group, GroupOutcome& out) const {
  for (const auto& [topic, partitions] : group.offsets.committed()) {
    for (const auto& [partition, offset] : partitions)
      append_offset_tombstone(out, group.id, topic, partition);
  }
  for (const auto& [topic, partitions] : group.offsets.pending()) {
    for (const auto& [partition, held] : partitions) {
      if (group.offsets.find(topic, partition) == nullptr)
        append_offset_tombstone(out, group.id, topic, partition);
    }
  }
}

void OffsetVerbs::expire(GroupOutcome& out) const {
  out.records_are_independent();
  const std::int64_t now_ms = store_.now.trusted_ms();
  for (const Group* group : store_.groups.sorted()) {
    const ClassicGroup* classic = group->classic.get();
    std::int64_t base_ms = -1;  // retention counts from here; -1: from the commit
    if (classic != nullptr && classic->protocol_type) {
      if (classic->state == ClassicState::kEmpty) {
        base_ms = classic->state_timestamp_ms;
      } else if (classic->state != ClassicState::kStable || !classic->uses_consumer_protocol()) {
        continue;  // in use, and nobody can say which of the offsets
      }
    }
    bool nothing_left = group->offsets.pending().empty();
    for (const auto& [topic, partitions] : group->offsets.committed()) {
      const bool subscribed = (classic != nullptr && classic->is_subscribed_to(topic)) ||
                              (group->consumer && group->consumer->is_subscribed_to(topic));
      for (const auto& [partition, offset] : partitions) {
        const std::int64_t since_ms = base_ms == -1 ? offset.commit_timestamp_ms : base_ms;
        const bool expired = offset.expire_timestamp_ms >= 0
                                 ? now_ms >= offset.expire_timestamp_ms
                                 : since_ms <= now_ms - store_.config->offsets_retention_ms;
        if (expired && !subscribed && !group->offsets.is_pending(topic, partition)) {
          append_offset_tombstone(out, group->id, topic, partition);
        } else {
          nothing_left = false;
        }
      }
    }
    if (nothing_left && group->is_empty()) append_group_tombstones(*group, out);
  }
}

void OffsetVerbs::topics_deleted(const std::vector<DeletedTopic>& topics, GroupOutcome& out) const {
  out.records_are_independent();
  for (const Group* group : store_.groups.sorted()) {
    for (const DeletedTopic& topic : topics) {
      const auto concerns = [&](const CommittedOffset& offset) {
        return offset.topic_id.is_zero() || offset.topic_id == topic.id;
      };
      if (const auto partitions = group->offsets.committed().find(topic.name);
          partitions != group->offsets.committed().end()) {
        for (const auto& [partition, offset] : partitions->second) {
          if (concerns(offset)) append_offset_tombstone(out, group->id, topic.name, partition);
        }
      }
      if (const auto partitions = group->offsets.pending().find(topic.name);
          partitions != group->offsets.pending().end()) {
        for (const auto& [partition, held] : partitions->second) {
          const bool any = std::ranges::any_of(held, [&](const auto& each) { return concerns(each.second); });
          if (any && group->offsets.find(topic.name, partition) == nullptr) {
            append_offset_tombstone(out, group->id, topic.name, partition);
          }
        }
      }
    }
  }
}

}  // namespace milena::coordinator
