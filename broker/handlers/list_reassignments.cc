#include "broker/handlers/list_reassignments.h"

#include <algorithm>
#include <span>
#include <vector>

namespace milena::broker {
namespace {

using Response = protocol::ListPartitionReassignmentsResponse;
using TopicAnswer = Response::OngoingTopicReassignment;
using PartitionAnswer = TopicAnswer::OngoingPartitionReassignment;
using protocol::BrokerId;

std::span<BrokerId> copied(std::span<const BrokerId> from, Arena& arena) {
  const auto to = arena.array<BrokerId>(from.size());
  std::ranges::copy(from, to.begin());
  return to;
}

class Reassignments {
 public:
  explicit Reassignments(Arena& arena) : arena_(arena) {}

  void begin(std::string_view topic) { topics_.push_back({.name = topic}); }
  void add(protocol::PartitionId index, const controller::Partition* partition) {
    if (partition == nullptr || !partition->is_reassigning()) return;
    partitions_.push_back({.partition_index = index,
                           .replicas = copied(partition->replicas(), arena_),
                           .adding_replicas = copied(partition->adding_replicas(), arena_),
                           .removing_replicas = copied(partition->removing_replicas(), arena_)});
  }
  void end() {
    topics_.back().partitions = arena_.array<PartitionAnswer>(partitions_.size());
    std::ranges::copy(partitions_, topics_.back().partitions.begin());
    if (partitions_.empty()) topics_.pop_back();
    partitions_.clear();
  }
  Response response() const {
    Response response;
    response.topics = arena_.array<TopicAnswer>(topics_.size());
    std::ranges::copy(topics_, response.topics.begin());
    return response;
  }

 private:
  Arena& arena_;
  std::vector<TopicAnswer> topics_;
  std::vector<PartitionAnswer> partitions_;
};

}  // namespace

Response list_reassignments(const protocol::ListPartitionReassignmentsRequest& request,
                            const controller::MetadataImage& image, Arena& arena) {
  Reassignments found(arena);
  if (!request.topics) {
    for (const auto& [id, topic] : image.topics) {
      found.begin(topic->name);
      for (const auto& [index, partition] : topic->partitions) found.add(index, &*partition);
      found.end();
    }
    return found.response();
  }
  for (const auto& asked : *request.topics) {
    const auto* topic = image.topic(asked.name);
    if (topic == nullptr) continue;
    found.begin(asked.name);
    for (const auto index : asked.partition_indexes) found.add(index, topic->partition(index));
    found.end();
  }
  return found.response();
}

}  // namespace milena::broker
