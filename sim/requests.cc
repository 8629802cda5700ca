#include "sim/requests.h"

#include <algorithm>
#include <map>
#include <set>

#include "protocol/compression.h"
#include "protocol/control_record.h"
#include "protocol/record_batch.h"
#include "protocol/record_batch_records.h"

namespace milena::sim {

protocol::ProduceRequest produce(Arena& arena, std::string_view topic, std::int32_t partition,
                                 std::span<const std::string> values, std::int64_t now_ms,
                                 const ProducerIdentity& producer, std::int32_t sequence,
                                 std::optional<std::string_view> transactional_id) {
  using Topic = protocol::ProduceRequest::TopicProduceData;
  protocol::RecordBatchBuilder builder({.producer_id = producer.id,
                                        .producer_epoch = producer.epoch,
                                        .base_sequence = sequence,
                                        .transactional = transactional_id.has_value()});
  for (const std::string& value : values) builder.append(now_ms, std::nullopt, as_bytes(value));
  const auto batch = builder.build();
  const auto bytes = arena.bytes(batch.size());
  std::ranges::copy(batch, bytes.begin());
  protocol::ProduceRequest request{.transactional_id = transactional_id, .acks = -1, .timeout_ms = 20'000};
  request.topic_data = arena.array<Topic>(1);
  request.topic_data[0].name = topic;
  request.topic_data[0].partition_data = arena.array<Topic::PartitionProduceData>(1);
  request.topic_data[0].partition_data[0].index = partition;
  request.topic_data[0].partition_data[0].records = protocol::RecordsRef{.bytes = bytes};
  return request;
}

protocol::FetchRequest fetch(Arena& arena, std::string_view topic, std::int32_t partition,
                             std::int64_t offset, std::int32_t max_wait_ms, bool committed_only) {
  using Topic = protocol::FetchRequest::FetchTopic;
  protocol::FetchRequest request{.max_wait_ms = max_wait_ms,
                                 .min_bytes = 1,
                                 .max_bytes = 1 << 20,
                                 .isolation_level = static_cast<std::int8_t>(committed_only ? 1 : 0)};
  request.topics = arena.array<Topic>(1);
  request.topics[0].topic = topic;
  request.topics[0].partitions = arena.array<Topic::FetchPartition>(1);
  auto& one = request.topics[0].partitions[0];
  one.partition = partition;
  one.fetch_offset = offset;
  one.partition_max_bytes = 1 << 20;
  return request;
}

protocol::ListOffsetsRequest earliest(Arena& arena, std::string_view topic, std::int32_t partition) {
  using Topic = protocol::ListOffsetsRequest::ListOffsetsTopic;
  protocol::ListOffsetsRequest request{.replica_id = -1};
  request.topics = arena.array<Topic>(1);
  request.topics[0].name = topic;
  request.topics[0].partitions = arena.array<Topic::ListOffsetsPartition>(1);
  request.topics[0].partitions[0] = {.partition_index = partition, .timestamp = -2};
  return request;
}

protocol::OffsetCommitRequest commit(Arena& arena, std::string_view group, std::string_view topic,
                                     std::int32_t partition, std::int64_t offset) {
  using Topic = protocol::OffsetCommitRequest::OffsetCommitRequestTopic;
  protocol::OffsetCommitRequest request{.group_id = group};
  request.topics = arena.array<Topic>(1);
  request.topics[0].name = topic;
  request.topics[0].partitions = arena.array<Topic::OffsetCommitRequestPartition>(1);
  request.topics[0].partitions[0].partition_index = partition;
  request.topics[0].partitions[0].committed_offset = offset;
  return request;
}

protocol::OffsetFetchRequest committed(Arena& arena, std::string_view group, std::string_view topic,
                                       std::int32_t partition) {
  using Topic = protocol::OffsetFetchRequest::OffsetFetchRequestTopic;
  protocol::OffsetFetchRequest request{.group_id = group, .require_stable = true};
  request.topics = arena.array<Topic>(1);
  (*request.topics)[0].name = topic;
  (*request.topics)[0].partition_indexes = arena.array<protocol::PartitionId>(1);
  (*request.topics)[0].partition_indexes[0] = partition;
  return request;
}

protocol::CreateTopicsRequest create_topic(Arena& arena, std::string_view topic, std::int32_t partitions) {
  protocol::CreateTopicsRequest request;
  request.topics = arena.array<protocol::CreateTopicsRequest::CreatableTopic>(1);
  request.topics[0] = {.name = topic, .num_partitions = partitions, .replication_factor = 1};
  return request;
}

FetchedRecords records_of(const protocol::FetchResponse::FetchableTopicResponse::PartitionData& answer,
                          std::int64_t offset) {
  FetchedRecords out;
  out.next_offset = offset;
  if (!answer.records) return out;
  std::multimap<std::int64_t, std::int64_t> aborted;  // first offset -> producer
  if (answer.aborted_transactions) {
    for (const auto& one : *answer.aborted_transactions)
      aborted.emplace(one.first_offset.value, one.producer_id.value);
  }
  std::set<std::int64_t> aborting;
  protocol::BatchIterator batches(answer.records->bytes);
  protocol::Decompressor decompressor;
  std::vector<std::byte> buffer;
  for (;;) {
    const auto batch = batches.next();
    out.is_damaged = out.is_damaged || !batch || (*batch && !(**batch).crc_matches());
    if (out.is_damaged || !*batch) return out;
    const auto& view = **batch;
    if (view.last_offset().value < out.next_offset && view.base_offset().value >= offset)
      out.is_damaged = true;
    for (auto at = aborted.begin(); at != aborted.end() && at->first <= view.last_offset().value;
         at = aborted.erase(at))
      aborting.insert(at->second);
    auto records = protocol::read_records(view, decompressor, buffer);
    while (records) {
      const auto record = records->next();
      out.is_damaged = out.is_damaged || !record;
      if (out.is_damaged || !*record) break;
      const std::int64_t at = (**record).offset(view).value;
      if (view.is_control()) {
        const auto type = protocol::control_record_type(**record);
        if (type && *type == protocol::ControlRecordType::kAbort) aborting.erase(view.producer_id().value);
      } else if (at >= offset && !(view.is_transactional() && aborting.contains(view.producer_id().value))) {
        out.records.push_back({at, (**record).value ? std::string(as_text(*(**record).value)) : ""});
      }
    }
    out.next_offset = std::max(out.next_offset, view.last_offset().value + 1);
  }
}

}  // namespace milena::sim
