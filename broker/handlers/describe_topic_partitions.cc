#include "broker/handlers/describe_topic_partitions.h"

#include <algorithm>
#include <set>

#include "broker/coordinators/internal_topics.h"
#include "broker/handlers/authorized_operations.h"
#include "controller/decisions/topic_names.h"

namespace milena::broker {
namespace {

using protocol::DescribeTopicPartitionsResponse;
using TopicAnswer = DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic;
using PartitionAnswer = TopicAnswer::DescribeTopicPartitionsResponsePartition;

std::span<BrokerId> copied(Arena& arena, std::span<const BrokerId> ids) {
  auto out = arena.array<BrokerId>(ids.size());
  std::ranges::copy(ids, out.begin());
  return out;
}

PartitionAnswer describe_partition(Call& call, const ClusterView& view, PartitionId index,
                                   const controller::Partition& partition) {
  const auto seen = view.partition(partition, true);
  PartitionAnswer answer;
  answer.partition_index = index;
  answer.leader_id = seen.leader;
  answer.leader_epoch = partition.leader_epoch();
  answer.replica_nodes = seen.replicas;
  answer.isr_nodes = seen.isr;
  answer.eligible_leader_replicas = copied(call.arena, partition.elr());
  answer.last_known_elr = copied(call.arena, partition.last_known_elr());
  answer.offline_replicas = seen.offline_replicas;
  return answer;
}

}  // namespace

Result<DescribeTopicPartitionsResponse> DescribeTopicPartitionsHandler::handle(
    Call& call, const protocol::DescribeTopicPartitionsRequest& request,
    const controller::MetadataImage& image) const {
  const std::string_view first = request.cursor ? request.cursor->topic_name : std::string_view{};
  if (request.cursor && request.cursor->partition_index < 0) {
    return fail(ErrorCode::kInvalidRequest, "the cursor's partition is negative");
  }
  const bool all = request.topics.empty();
  std::set<std::string_view> names;
  if (all) {
    for (const auto& [name, id] : image.topic_ids) {
      if (name >= first) names.insert(name);
    }
  } else {
    for (const auto& topic : request.topics) {
      if (topic.name >= first) names.insert(topic.name);
    }
    if (request.cursor && !names.contains(first)) {
      return fail(ErrorCode::kInvalidRequest, "the cursor's topic is not among those asked for");
    }
  }

  const ClusterView view(image, self_, call);
  auto left =
      static_cast<std::size_t>(std::max(std::min(partition_limit_, request.response_partition_limit), 1));
  DescribeTopicPartitionsResponse response;
  auto answers = call.arena.array<TopicAnswer>(names.size());
  std::size_t listed = 0;
  auto stop_before = [&](std::string_view topic, PartitionId partition) {
    response.next_cursor =
        DescribeTopicPartitionsResponse::Cursor{.topic_name = topic, .partition_index = partition};
  };
  for (const std::string_view name : names) {
    if (left == 0) {
      stop_before(name, 0);
      break;
    }
    const auto* topic = image.topic(name);
    if (topic == nullptr && all) continue;
    TopicAnswer& answer = answers[listed++];
    answer.name = name;
    answer.is_internal = is_internal_topic(name);
    answer.topic_authorized_operations = kAllTopicOperations;
    if (topic == nullptr) {
      answer.error_code = controller::topic_name_error(name) ? ErrorCode::kInvalidTopicException
                                                             : ErrorCode::kUnknownTopicOrPartition;
      continue;
    }
    answer.topic_id = topic->id;
    const PartitionId start =
        request.cursor && name == first ? request.cursor->partition_index : PartitionId(0);
    auto partitions = call.arena.array<PartitionAnswer>(std::min(left, topic->partitions.size()));
    std::size_t count = 0;
    for (const auto& [index, partition] : topic->partitions) {
      if (index < start) continue;
      if (count == left) {
        stop_before(name, index);
        break;
      }
      partitions[count++] = describe_partition(call, view, index, *partition);
    }
    answer.partitions = partitions.first(count);
    if (response.next_cursor) break;
    left -= count;
  }
  response.topics = answers.first(listed);
  return response;
}

}  // namespace milena::broker
