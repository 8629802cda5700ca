#include "broker/handlers/produce.h"

#include <optional>
#include <utility>

#include "base/mutant.h"
#include "broker/coordinators/internal_topics.h"
#include "broker/handlers/cluster_view.h"
#include "protocol/error_code.h"

namespace milena::broker {
namespace {

using protocol::ProduceRequest;
using protocol::ProduceResponse;

constexpr std::int16_t kAllReplicas = -1;
constexpr std::string_view kAdminClient = "__admin_client";  // Kafka lets it write to internal topics

// Views are read-only by type, but a request's frame belongs to the request, and its handler may write to it.
MutableBytes writable(BytesView bytes) { return {const_cast<std::byte*>(bytes.data()), bytes.size()}; }

// What a refusal says about the log: its start, but for errors that Kafka answers without a look at it.
protocol::Offset log_start_for(ErrorCode error, Partition& partition) {
  switch (error) {
    case ErrorCode::kUnknownTopicOrPartition:
    case ErrorCode::kNotLeaderOrFollower:
    case ErrorCode::kMessageTooLarge:
    case ErrorCode::kRecordListTooLarge:
    case ErrorCode::kCorruptMessage:
    case ErrorCode::kKafkaStorageError:
      return protocol::kNoOffset;
    default:
      break;
  }
  const auto offsets = partition.offsets(protocol::kNoLeaderEpoch);
  return offsets ? offsets->log_start : protocol::kNoOffset;
}

// The error that every partition gets before its records are looked at; kNone: go on.
ErrorCode refuse_all(const ProduceRequest& request) {
  if (request.acks < kAllReplicas || request.acks > 1) return ErrorCode::kInvalidRequiredAcks;
  const bool is_nameless = !request.transactional_id && ProduceHandler::has_transactional_batch(request);
  return is_nameless ? ErrorCode::kTransactionalIdAuthorizationFailed : ErrorCode::kNone;
}

}  // namespace

bool ProduceHandler::has_transactional_batch(const ProduceRequest& request) {
  for (const auto& topic : request.topic_data) {
    for (const auto& partition : topic.partition_data) {
      if (!partition.records) continue;
      const auto header = protocol::RecordBatchHeader::parse(partition.records->bytes);
      if (header && header->is_transactional()) return true;
    }
  }
  return false;
}

ProduceHandler::Outcome ProduceHandler::append(Call& call, const ProduceRequest& request,
                                               const Verdicts& verdicts, protocol::Codecs& codecs) {
  Outcome outcome;
  const ErrorCode refusal = refuse_all(request);
  outcome.response.responses =
      call.arena.array<ProduceResponse::TopicProduceResponse>(request.topic_data.size());
  for (std::size_t t = 0; t < request.topic_data.size(); ++t) {
    const auto& topic = request.topic_data[t];
    auto& topic_answer = outcome.response.responses[t];
    topic_answer.name = topic.name;
    topic_answer.topic_id = topic.topic_id;
    topic_answer.partition_responses = call.arena.array<PartitionAnswer>(topic.partition_data.size());
    const bool by_id = !topic.topic_id.is_zero();
    for (std::size_t p = 0; p < topic.partition_data.size(); ++p) {
      const auto& data = topic.partition_data[p];
      PartitionAnswer& answer = topic_answer.partition_responses[p];
      answer.index = data.index;
      answer.base_offset = protocol::kNoOffset;

      Batch batch;
      batch.produce_version = call.version;
      batch.client_may_write_internal = call.client_id == kAdminClient;
      batch.partition =
          by_id ? partitions_.find(topic.topic_id, data.index) : partitions_.find(topic.name, data.index);
      if (data.records) batch.records = writable(data.records->bytes);

      auto appended = [&]() -> Result<Partition::Appended> {
        if (refusal != ErrorCode::kNone) return fail(refusal, "the whole request is refused");
        if (batch.partition == nullptr) {
          const bool unknown_id =
              call.version > 12 && (!by_id || partitions_.topic(topic.topic_id) == nullptr);
          return fail(unknown_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition,
                      "not here");
        }
        if (const auto verdict = verdicts.find(&data); verdict != verdicts.end()) {
          if (verdict->second.error != ErrorCode::kNone) {
            return fail(verdict->second.error,
                        "the coordinator does not have the partition in the transaction");
          }
          batch.verification = verdict->second.ticket;
        }
        return append_batch(call, batch, codecs, answer);
      }();
      if (batch.partition != nullptr) batch.partition->count_produce(!appended);
      if (!appended) {
        answer.error_code = appended.error().code;
        outcome.failed = true;
        continue;
      }
      answer.base_offset = appended->info.first_offset;
      answer.log_start_offset = appended->log_start_offset;
      if constexpr (is_mutant("ack_before_flush")) continue;
      if (request.acks == kAllReplicas && !appended->committed) {
        outcome.pending.push_back({std::move(batch.partition), appended->info.last_offset, &answer});
      }
    }
  }
  return outcome;
}

Result<Partition::Appended> ProduceHandler::append_batch(Call& call, const Batch& batch,
                                                         protocol::Codecs& codecs, PartitionAnswer& answer) {
  if (is_internal_topic(batch.partition->topic_name()) && !batch.client_may_write_internal) {
    return fail(ErrorCode::kInvalidTopicException, "clients do not write to internal topics");
  }
  const auto settings = batch.partition->settings();
  auto rules = settings->batch_rules;
  rules.produce_version = batch.produce_version;
  auto validated = protocol::validate_produced_batch(batch.records, rules, call.wall_ms, codecs);
  if (!validated) {
    const auto& rejection = validated.error();
    answer.error_message = rejection.error.why;
    answer.record_errors =
        call.arena.array<PartitionAnswer::BatchIndexAndErrorMessage>(rejection.record_errors.size());
    for (std::size_t i = 0; i < rejection.record_errors.size(); ++i) {
      answer.record_errors[i].batch_index = rejection.record_errors[i].batch_index;
      answer.record_errors[i].batch_index_error_message = call.arena.text(rejection.record_errors[i].message);
    }
    if (!rejection.is_of_request) {
      answer.log_start_offset = log_start_for(rejection.error.code, *batch.partition);
    }
    return std::unexpected(rejection.error);
  }

  MutableBytes bytes = validated->bytes;
  std::vector<std::byte> recompressed;
  if (validated->needs_recompression) {
    MILENA_CHECK(protocol::recompress_batch(validated->batch, rules, settings->compression_level, codecs,
                                            recompressed));
    bytes = recompressed;
  }
  const auto appended =
      batch.partition->append(bytes, {.verification = batch.verification, .now_ms = call.wall_ms});
  if (!appended) {
    answer.log_start_offset = log_start_for(appended.error().code, *batch.partition);
    return appended;
  }
  // A duplicate is answered with what its first copy was given.
  answer.log_append_time_ms =
      appended->info.duplicate ? appended->info.max_timestamp : validated->log_append_time_ms;
  return appended;
}

}  // namespace milena::broker
