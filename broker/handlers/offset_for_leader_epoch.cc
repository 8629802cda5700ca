#include "broker/handlers/offset_for_leader_epoch.h"

#include "protocol/error_code.h"

namespace milena::broker {

protocol::OffsetForLeaderEpochResponse OffsetForLeaderEpochHandler::handle(
    Call& call, const protocol::OffsetForLeaderEpochRequest& request) {
  using Response = protocol::OffsetForLeaderEpochResponse;
  using Answer = Response::OffsetForLeaderTopicResult::EpochEndOffset;
  Response response;
  response.topics = call.arena.array<Response::OffsetForLeaderTopicResult>(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    response.topics[t].topic = topic.topic;
    response.topics[t].partitions = call.arena.array<Answer>(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const auto& asked = topic.partitions[p];
      Answer& answer = response.topics[t].partitions[p];
      answer.partition = asked.partition;
      const auto partition = partitions_.find(topic.topic, asked.partition);
      if (partition == nullptr) {
        answer.error_code = ErrorCode::kUnknownTopicOrPartition;
        continue;
      }
      const auto end = partition->end_offset_for_epoch(asked.leader_epoch, asked.current_leader_epoch);
      if (!end) {
        answer.error_code = end.error().code;
        continue;
      }
      answer.leader_epoch = end->leader_epoch;
      answer.end_offset = end->end_offset;
    }
  }
  return response;
}

}  // namespace milena::broker
