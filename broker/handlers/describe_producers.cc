#include "broker/handlers/describe_producers.h"

#include "protocol/error_code.h"

namespace milena::broker {

protocol::DescribeProducersResponse DescribeProducersHandler::handle(
    Call& call, const protocol::DescribeProducersRequest& request) {
  using protocol::DescribeProducersResponse;
  using PartitionAnswer = DescribeProducersResponse::TopicResponse::PartitionResponse;
  DescribeProducersResponse response;
  response.topics = call.arena.array<DescribeProducersResponse::TopicResponse>(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    response.topics[t].name = topic.name;
    response.topics[t].partitions = call.arena.array<PartitionAnswer>(topic.partition_indexes.size());
    for (std::size_t p = 0; p < topic.partition_indexes.size(); ++p) {
      PartitionAnswer& answer = response.topics[t].partitions[p];
      answer.partition_index = topic.partition_indexes[p];
      const auto partition = partitions_.find(topic.name, answer.partition_index);
      const auto producers = partition != nullptr
                                 ? partition->active_producers()
                                 : fail(ErrorCode::kUnknownTopicOrPartition, "no such partition");
      if (!producers) {
        answer.error_code = producers.error().code;
        answer.error_message = error_message(answer.error_code);
        continue;
      }
      answer.active_producers = call.arena.array<PartitionAnswer::ProducerState>(producers->size());
      for (std::size_t i = 0; i < producers->size(); ++i) {
        const auto& producer = (*producers)[i];
        answer.active_producers[i] = {.producer_id = producer.producer_id,
                                      .producer_epoch = producer.producer_epoch,
                                      .last_sequence = producer.last_sequence,
                                      .last_timestamp = producer.last_timestamp,
                                      .coordinator_epoch = producer.coordinator_epoch,
                                      .current_txn_start_offset = producer.current_txn_start_offset};
      }
    }
  }
  return response;
}

}  // namespace milena::broker
