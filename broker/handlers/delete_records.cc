#include "broker/handlers/delete_records.h"

#include <memory>
#include <utility>
#include <vector>

#include "broker/coordinators/internal_topics.h"
#include "broker/handlers/cluster_view.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;

constexpr protocol::Offset kUnknownLowWatermark = -1;
constexpr std::string_view kAdminClient = "__admin_client";

Result<protocol::Offset> delete_records(const Call& call, const std::shared_ptr<Partition>& partition,
                                        protocol::Offset offset) {
  if (partition == nullptr) return fail(ErrorCode::kUnknownTopicOrPartition, "no such partition");
  if (is_internal_topic(partition->topic_name()) && call.client_id != kAdminClient) {
    return fail(ErrorCode::kInvalidTopicException, "records of internal topics are not deleted");
  }
  const auto settings = partition->settings();
  if (settings->log->cleanup_compact && !settings->log->cleanup_delete) {
    return fail(ErrorCode::kPolicyViolation, "the topic's cleanup policy does not delete");
  }
  const auto log_start = partition->delete_records(offset);
  if (log_start) partition->note_checkpoint();
  return log_start;
}

}  // namespace

void DeleteRecordsHandler::handle(Call& call, const DeleteRecordsRequest& request, Responder responder) {
  using PartitionAnswer = DeleteRecordsResponse::DeleteRecordsTopicResult::DeleteRecordsPartitionResult;
  DeleteRecordsResponse response;
  std::vector<std::pair<PartitionAnswer*, std::shared_ptr<Partition>>> done;
  response.topics = call.arena.array<DeleteRecordsResponse::DeleteRecordsTopicResult>(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    response.topics[t].name = topic.name;
    response.topics[t].partitions = call.arena.array<PartitionAnswer>(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const auto& asked = topic.partitions[p];
      PartitionAnswer& answer = response.topics[t].partitions[p];
      answer.partition_index = asked.partition_index;
      auto partition = partitions_.find(topic.name, asked.partition_index);
      const auto log_start = delete_records(call, partition, asked.offset);
      answer.low_watermark = log_start.value_or(kUnknownLowWatermark);
      if (!log_start) answer.error_code = log_start.error().code;
      if (log_start) done.emplace_back(&answer, std::move(partition));
    }
  }
  manager_.run_blocking([this, response, done = std::move(done), responder = std::move(responder)]() mutable {
    if (!manager_.write_noted_checkpoints()) {
      for (auto& topic : response.topics) {
        for (auto& partition : topic.partitions) partition.error_code = ErrorCode::kKafkaStorageError;
      }
    }
    // A directory that has failed is passed over, and nothing of it is written.
    for (const auto& [answer, partition] : done) {
      if (partition->is_offline()) answer->error_code = ErrorCode::kKafkaStorageError;
    }
    responder.send(response);
  });
}

}  // namespace milena::broker
