// Requests of group members, with what tests vary as arguments. The messages point into the harness.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/group/testing/group_harness.h"

namespace milena::coordinator::testing_support {

struct JoinOptions {
  std::string member_id{};
  std::optional<std::string> instance_id{};
  std::string type = "consumer";
  std::vector<std::pair<std::string, std::string>> protocols = {{"range", "m"}};
  std::int32_t session_timeout_ms = 10'000;
  std::int32_t rebalance_timeout_ms = 60'000;
};

inline protocol::JoinGroupRequest join_request(GroupHarness& h, std::string_view group,
                                               const JoinOptions& options) {
  protocol::JoinGroupRequest request;
  request.group_id = h.keep(group);
  request.member_id = h.keep(options.member_id);
  if (options.instance_id) request.group_instance_id = h.keep(*options.instance_id);
  request.protocol_type = h.keep(options.type);
  request.session_timeout_ms = options.session_timeout_ms;
  request.rebalance_timeout_ms = options.rebalance_timeout_ms;
  request.protocols =
      h.arena().array<protocol::JoinGroupRequest::JoinGroupRequestProtocol>(options.protocols.size());
  for (std::size_t i = 0; i < options.protocols.size(); ++i) {
    request.protocols[i] = {h.keep(options.protocols[i].first),
                            as_bytes(h.keep(options.protocols[i].second))};
  }
  return request;
}

inline protocol::SyncGroupRequest sync_request(
    GroupHarness& h, std::string_view group, std::string_view member_id, std::int32_t generation,
    const std::vector<std::pair<std::string, std::string>>& assignments = {},
    std::optional<std::string> instance_id = std::nullopt) {
  protocol::SyncGroupRequest request;
  request.group_id = h.keep(group);
  request.member_id = h.keep(member_id);
  request.generation_id = generation;
  if (instance_id) request.group_instance_id = h.keep(*instance_id);
  request.assignments =
      h.arena().array<protocol::SyncGroupRequest::SyncGroupRequestAssignment>(assignments.size());
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    request.assignments[i] = {h.keep(assignments[i].first), as_bytes(h.keep(assignments[i].second))};
  }
  return request;
}

inline protocol::HeartbeatRequest heartbeat_request(GroupHarness& h, std::string_view group,
                                                    std::string_view member_id, std::int32_t generation,
                                                    std::optional<std::string> instance_id = std::nullopt) {
  protocol::HeartbeatRequest request;
  request.group_id = h.keep(group);
  request.member_id = h.keep(member_id);
  request.generation_id = generation;
  if (instance_id) request.group_instance_id = h.keep(*instance_id);
  return request;
}

struct Leaving {
  std::string member_id{};
  std::optional<std::string> instance_id{};
};

inline protocol::LeaveGroupRequest leave_request(GroupHarness& h, std::string_view group,
                                                 const std::vector<Leaving>& members) {
  protocol::LeaveGroupRequest request;
  request.group_id = h.keep(group);
  request.members = h.arena().array<protocol::LeaveGroupRequest::MemberIdentity>(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Leaving& each = members[i];
    request.members[i].member_id = h.keep(each.member_id);
    if (each.instance_id) request.members[i].group_instance_id = h.keep(*each.instance_id);
  }
  return request;
}

struct OffsetToCommit {
  std::string topic{};
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::optional<std::string> metadata = "";
};

inline protocol::OffsetCommitRequest commit_request(GroupHarness& h, std::string_view group,
                                                    const std::vector<OffsetToCommit>& offsets,
                                                    std::string_view member_id = "",
                                                    std::int32_t generation = -1) {
  using Topic = protocol::OffsetCommitRequest::OffsetCommitRequestTopic;
  protocol::OffsetCommitRequest request;
  request.group_id = h.keep(group);
  request.member_id = h.keep(member_id);
  request.generation_id_or_member_epoch = generation;
  request.topics = h.arena().array<Topic>(offsets.size());
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const OffsetToCommit& each = offsets[i];
    Topic& topic = request.topics[i];
    topic.name = h.keep(each.topic);
    if (const auto known = h.metadata->topic(topic.name)) topic.topic_id = known->id;
    topic.partitions = h.arena().array<Topic::OffsetCommitRequestPartition>(1);
    topic.partitions[0].partition_index = each.partition;
    topic.partitions[0].committed_offset = each.offset;
    if (each.metadata) topic.partitions[0].committed_metadata = h.keep(*each.metadata);
  }
  return request;
}

inline FetchOffsets fetch_request(GroupHarness& h, std::string_view group,
                                  const std::vector<std::pair<std::string, std::int32_t>>& partitions,
                                  bool require_stable = false) {
  using Topic = protocol::OffsetFetchRequest::OffsetFetchRequestGroup::OffsetFetchRequestTopics;
  FetchOffsets request;
  request.require_stable = require_stable;
  request.group.group_id = h.keep(group);
  const auto topics = h.arena().array<Topic>(partitions.size());
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    topics[i].name = h.keep(partitions[i].first);
    topics[i].partition_indexes = h.arena().array<protocol::PartitionId>(1);
    topics[i].partition_indexes[0] = partitions[i].second;
  }
  request.group.topics = topics;
  return request;
}

struct BeatOptions {
  std::int32_t epoch = 0;
  std::optional<std::string> instance_id{};
  std::optional<std::string> rack_id{};
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::vector<std::string>> topics{};
  std::optional<std::string> regex{};
  std::optional<std::string> assignor{};
  std::optional<Assignment> owned{};
};

inline protocol::ConsumerGroupHeartbeatRequest beat_request(GroupHarness& h, std::string_view group,
                                                            std::string_view member_id,
                                                            const BeatOptions& options) {
  protocol::ConsumerGroupHeartbeatRequest request;
  request.group_id = h.keep(group);
  request.member_id = h.keep(member_id);
  request.member_epoch = options.epoch;
  if (options.instance_id) request.instance_id = h.keep(*options.instance_id);
  if (options.rack_id) request.rack_id = h.keep(*options.rack_id);
  request.rebalance_timeout_ms = options.rebalance_timeout_ms;
  if (options.topics) {
    const auto names = h.arena().array<std::string_view>(options.topics->size());
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = h.keep((*options.topics)[i]);
    request.subscribed_topic_names = names;
  }
  if (options.regex) request.subscribed_topic_regex = h.keep(*options.regex);
  if (options.assignor) request.server_assignor = h.keep(*options.assignor);
  if (options.owned) {
    const auto topics =
        h.arena().array<protocol::ConsumerGroupHeartbeatRequest::TopicPartitions>(options.owned->size());
    std::size_t t = 0;
    for (const auto& [id, partitions] : *options.owned) {
      topics[t].topic_id = id;
      topics[t].partitions = h.arena().array<protocol::PartitionId>(partitions.size());
      for (std::size_t p = 0; p < partitions.size(); ++p) topics[t].partitions[p] = partitions[p];
      ++t;
    }
    request.topic_partitions = topics;
  }
  return request;
}

// The first heartbeat of a member that subscribes to topics by name.
inline BeatOptions joining(std::vector<std::string> topics, std::int32_t rebalance_timeout_ms = 60'000) {
  BeatOptions options;
  options.topics = std::move(topics);
  options.rebalance_timeout_ms = rebalance_timeout_ms;
  options.owned = Assignment{};
  return options;
}

inline Assignment assignment_of(const protocol::ConsumerGroupHeartbeatResponse& response) {
  Assignment assignment;
  if (!response.assignment) return assignment;
  for (const auto& topic : response.assignment->topic_partitions) {
    for (const protocol::PartitionId partition : topic.partitions)
      assignment[topic.topic_id].push_back(partition.value);
  }
  return assignment;
}

// A consumer's subscription blob.
inline std::string subscription_blob(const std::vector<std::string>& topics,
                                     const std::vector<std::pair<std::string, std::int32_t>>& owned = {},
                                     std::int16_t version = 3) {
  Arena arena;
  protocol::ConsumerProtocolSubscription message;
  const auto names = arena.array<std::string_view>(topics.size());
  for (std::size_t i = 0; i < topics.size(); ++i) names[i] = topics[i];
  message.topics = names;
  message.owned_partitions =
      arena.array<protocol::ConsumerProtocolSubscription::TopicPartition>(owned.size());
  for (std::size_t i = 0; i < owned.size(); ++i) {
    message.owned_partitions[i].topic = owned[i].first;
    message.owned_partitions[i].partitions = arena.array<protocol::PartitionId>(1);
    message.owned_partitions[i].partitions[0] = owned[i].second;
  }
  const auto encoded = protocol::encode(message, version, arena, 2);
  store_be<std::int16_t>(encoded.buffer.data(), version);
  return std::string(as_text(encoded.buffer));
}

}  // namespace milena::coordinator::testing_support
