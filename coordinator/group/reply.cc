#include "coordinator/group/reply.h"

#include <algorithm>
#include <string_view>

namespace milena::coordinator {

using namespace protocol;  // NOLINT(google-build-using-namespace): every type below is one of its messages

namespace {

JoinGroupResponse join_error(std::string_view member_id, ErrorCode error) {
  JoinGroupResponse response;
  response.error_code = error;
  response.member_id = member_id;
  return response;
}

template <class Group>
Group described_error(std::string_view group_id, ErrorCode error) {
  Group group;
  group.group_id = group_id;
  group.error_code = error;
  return group;
}

// Consumers before 3.9 that fetch offsets take kCoordinatorNotAvailable for fatal.
ErrorCode error_of_fetch(ErrorCode error) {
  return error == ErrorCode::kCoordinatorNotAvailable ? ErrorCode::kNotCoordinator : error;
}

struct ErrorSetter {
  ErrorCode error;

  void operator()(std::monostate&) const {}
  void operator()(JoinGroupResponse& r) const { r = join_error({}, error); }
  void operator()(SyncGroupResponse& r) const { r = {.error_code = error}; }
  void operator()(LeaveGroupResponse& r) const { r = {.error_code = error}; }
  void operator()(HeartbeatResponse& r) const { r = {.error_code = error}; }
  void operator()(ListGroupsResponse& r) const { r = {.error_code = error}; }
  void operator()(OffsetDeleteResponse& r) const { r = {.error_code = error}; }
  void operator()(ConsumerGroupHeartbeatResponse& r) const { r = {.error_code = error}; }
  void operator()(OffsetCommitResponse& r) const { set_partitions(r.topics); }
  void operator()(TxnOffsetCommitResponse& r) const { set_partitions(r.topics); }
  void operator()(OffsetFetchResponse::OffsetFetchResponseGroup& r) const {
    r.error_code = error_of_fetch(error);
    // The first version has no other place for it.
    for (auto& topic : r.topics) {
      for (auto& partition : topic.partitions) {
        partition = {.partition_index = partition.partition_index,
                     .committed_offset = kNoOffset,
                     .metadata = "",
                     .error_code = r.error_code};
      }
    }
  }
  void operator()(DeleteGroupsResponse& r) const {
    for (auto& result : r.results) result.error_code = error;
  }
  void operator()(DescribeGroupsResponse& r) const {
    for (auto& group : r.groups)
      group = described_error<DescribeGroupsResponse::DescribedGroup>(group.group_id, error);
  }
  void operator()(ConsumerGroupDescribeResponse& r) const {
    for (auto& group : r.groups) {
      group = described_error<ConsumerGroupDescribeResponse::DescribedGroup>(group.group_id, error);
    }
  }

 private:
  void set_partitions(auto topics) const {
    for (auto& topic : topics) {
      for (auto& partition : topic.partitions) partition.error_code = error;
    }
  }
};

// The topics and partitions of a commit, with one error for all.
template <class Response, class Topic, class Partition>
Response commit_error(auto request_topics, ErrorCode error, Arena& memory) {
  Response response;
  response.topics = memory.array<Topic>(request_topics.size());
  for (std::size_t t = 0; t < request_topics.size(); ++t) {
    const auto& topic = request_topics[t];
    auto& out = response.topics[t];
    out.name = memory.text(topic.name);
    out.topic_id = topic.topic_id;
    out.partitions = memory.array<Partition>(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      out.partitions[p] = {.partition_index = topic.partitions[p].partition_index, .error_code = error};
    }
  }
  return response;
}

}  // namespace

void set_error(GroupReply& reply, ErrorCode error) { std::visit(ErrorSetter{error}, reply); }

GroupReply refusal(const HeartbeatRequest&, ErrorCode error) {
  // While groups are being loaded heartbeats are taken on trust: the members would only rejoin for nothing.
  if (error == ErrorCode::kCoordinatorLoadInProgress) error = ErrorCode::kNone;
  return HeartbeatResponse{.error_code = error};
}

GroupReply refusal(const JoinGroupRequest&, ErrorCode error) { return join_error({}, error); }
GroupReply refusal(const SyncGroupRequest&, ErrorCode error) {
  return SyncGroupResponse{.error_code = error};
}
GroupReply refusal(const LeaveGroupRequest&, ErrorCode error) {
  return LeaveGroupResponse{.error_code = error};
}
GroupReply refusal(const OffsetDeleteRequest&, ErrorCode error) {
  return OffsetDeleteResponse{.error_code = error};
}
GroupReply refusal(const ListGroupsRequest&, ErrorCode error) {
  return ListGroupsResponse{.error_code = error};
}
GroupReply refusal(const ConsumerGroupHeartbeatRequest&, ErrorCode error) {
  return ConsumerGroupHeartbeatResponse{.error_code = error};
}

GroupReply refusal(const OffsetCommitRequest& request, ErrorCode error, Arena& memory) {
  return commit_error<OffsetCommitResponse, OffsetCommitResponse::OffsetCommitResponseTopic,
                      OffsetCommitResponse::OffsetCommitResponseTopic::OffsetCommitResponsePartition>(
      request.topics, error, memory);
}

GroupReply refusal(const TxnOffsetCommitRequest& request, ErrorCode error, std::int16_t version,
                   Arena& memory) {
  // Producers of those versions may break on being told of a load (KAFKA-7296).
  constexpr int kLoadInProgressVersion = 2;
  if (error == ErrorCode::kCoordinatorLoadInProgress && version < kLoadInProgressVersion) {
    error = ErrorCode::kCoordinatorNotAvailable;
  }
  return commit_error<
      TxnOffsetCommitResponse, TxnOffsetCommitResponse::TxnOffsetCommitResponseTopic,
      TxnOffsetCommitResponse::TxnOffsetCommitResponseTopic::TxnOffsetCommitResponsePartition>(request.topics,
                                                                                               error, memory);
}

GroupReply refusal(const FetchOffsets& request, ErrorCode error, std::int16_t version, Arena& memory) {
  using Group = OffsetFetchResponse::OffsetFetchResponseGroup;
  using Topic = Group::OffsetFetchResponseTopics;
  using Partition = Topic::OffsetFetchResponsePartitions;
  Group group;
  group.group_id = memory.text(request.group.group_id);
  group.error_code = error;
  // Version 1 has nowhere to put an error but the partitions.
  if (version >= 2 || !request.group.topics) return group;
  group.topics = memory.array<Topic>(request.group.topics->size());
  for (std::size_t t = 0; t < group.topics.size(); ++t) {
    const auto& topic = (*request.group.topics)[t];
    group.topics[t].name = memory.text(topic.name);
    group.topics[t].partitions = memory.array<Partition>(topic.partition_indexes.size());
    for (std::size_t p = 0; p < topic.partition_indexes.size(); ++p) {
      group.topics[t].partitions[p] = {.partition_index = topic.partition_indexes[p],
                                       .committed_offset = kNoOffset,
                                       .metadata = "",
                                       .error_code = error};
    }
  }
  return group;
}

GroupReply refusal(const DeleteGroupsRequest& request, ErrorCode error, Arena& memory) {
  DeleteGroupsResponse response;
  response.results = memory.array<DeleteGroupsResponse::DeletableGroupResult>(request.groups_names.size());
  for (std::size_t i = 0; i < response.results.size(); ++i) {
    response.results[i] = {.group_id = memory.text(request.groups_names[i]), .error_code = error};
  }
  return response;
}

GroupReply refusal(const DescribeGroupsRequest& request, ErrorCode error, Arena& memory) {
  using Group = DescribeGroupsResponse::DescribedGroup;
  DescribeGroupsResponse response;
  response.groups = memory.array<Group>(request.groups.size());
  std::ranges::transform(request.groups, response.groups.begin(),
                         [&](std::string_view id) { return described_error<Group>(memory.text(id), error); });
  return response;
}

GroupReply refusal(const ConsumerGroupDescribeRequest& request, ErrorCode error, Arena& memory) {
  using Group = ConsumerGroupDescribeResponse::DescribedGroup;
  ConsumerGroupDescribeResponse response;
  response.groups = memory.array<Group>(request.group_ids.size());
  std::ranges::transform(request.group_ids, response.groups.begin(),
                         [&](std::string_view id) { return described_error<Group>(memory.text(id), error); });
  return response;
}

}  // namespace milena::coordinator
