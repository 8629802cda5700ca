#include "broker/handlers/describe_quorum.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using controller::QuorumView;
using protocol::DescribeQuorumRequest;
using protocol::DescribeQuorumResponse;
using TopicAnswer = DescribeQuorumResponse::TopicData;
using PartitionAnswer = TopicAnswer::PartitionData;
using ReplicaAnswer = DescribeQuorumResponse::ReplicaState;
using NodeAnswer = DescribeQuorumResponse::Node;

constexpr std::string_view kMetadataTopic = "__cluster_metadata";

bool asks_for_metadata_log(const DescribeQuorumRequest& request) {
  if (request.topics.size() != 1 || request.topics[0].topic_name != kMetadataTopic) return false;
  const auto& partitions = request.topics[0].partitions;
  return partitions.size() == 1 && partitions[0].partition_index == 0;
}

void describe(const QuorumView& view, PartitionAnswer& answer, Arena& arena) {
  if (!view.is_leader) {
    answer.error_code = ErrorCode::kNotLeaderOrFollower;
    return;
  }
  answer.leader_id = view.leader;
  answer.leader_epoch = view.epoch;
  answer.high_watermark = view.high_watermark;
  answer.current_voters = arena.array<ReplicaAnswer>(view.voters.size());
  std::ranges::transform(view.voters, answer.current_voters.begin(), [](const QuorumView::Replica& voter) {
    return ReplicaAnswer{.replica_id = voter.key.id,
                         .replica_directory_id = voter.key.directory_id,
                         .log_end_offset = voter.log_end_offset,
                         .last_fetch_timestamp = voter.last_fetch_ms,
                         .last_caught_up_timestamp = voter.last_caught_up_ms};
  });
}

NodeAnswer describe(const controller::Voter& voter, Arena& arena) {
  using Listener = NodeAnswer::Listener;
  const auto listeners = arena.array<Listener>(voter.endpoints.size());
  std::ranges::transform(voter.endpoints, listeners.begin(), [](const controller::VoterEndpoint& endpoint) {
    return Listener{.name = endpoint.name, .host = endpoint.host, .port = endpoint.port};
  });
  return {.node_id = voter.key.id, .listeners = listeners};
}

}  // namespace

DescribeQuorumResponse describe_quorum(const DescribeQuorumRequest& request, const QuorumView& view,
                                       Arena& arena) {
  DescribeQuorumResponse response{.topics = arena.array<TopicAnswer>(request.topics.size()),
                                  .nodes = arena.array<NodeAnswer>(view.nodes.size())};
  const bool is_known = asks_for_metadata_log(request);
  for (std::size_t t = 0; t < response.topics.size(); ++t) {
    const auto& asked = request.topics[t];
    response.topics[t] = {.topic_name = asked.topic_name,
                          .partitions = arena.array<PartitionAnswer>(asked.partitions.size())};
    for (std::size_t p = 0; p < asked.partitions.size(); ++p) {
      PartitionAnswer& answer = response.topics[t].partitions[p];
      answer.partition_index = asked.partitions[p].partition_index;
      if (is_known) {
        describe(view, answer, arena);
      } else {
        answer.error_code = ErrorCode::kUnknownTopicOrPartition;
      }
    }
  }
  std::ranges::transform(view.nodes, response.nodes.begin(),
                         [&](const controller::Voter& voter) { return describe(voter, arena); });
  return response;
}

}  // namespace milena::broker
