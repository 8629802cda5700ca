#include "coordinator/group/consumer_protocol.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "protocol/codec.h"
#include "protocol/error_code.h"

namespace milena::coordinator {

using protocol::ConsumerProtocolAssignment;
using protocol::ConsumerProtocolSubscription;

namespace {

constexpr std::size_t kVersionBytes = 2;

template <class M>
Result<M> read_blob(std::string_view blob, std::optional<std::int16_t> as_version, Arena& arena) {
  MILENA_TRY(const std::int16_t version, consumer_protocol_version(blob));
  if (version < M::kInfo.min_version) return fail(ErrorCode::kInvalidRequest, "consumer protocol version");
  const int readable = std::min(as_version.value_or(version), M::kInfo.max_version);
  return protocol::decode<M>(as_bytes(blob.substr(kVersionBytes)), readable, arena);
}

}  // namespace

Result<std::int16_t> consumer_protocol_version(std::string_view blob) {
  if (blob.size() < kVersionBytes) return fail(ErrorCode::kInvalidRequest, "consumer protocol header");
  return load_be<std::int16_t>(as_bytes(blob).data());
}

Result<ConsumerProtocolSubscription> read_subscription(std::string_view blob, Arena& arena) {
  return read_blob<ConsumerProtocolSubscription>(blob, std::nullopt, arena);
}

Result<ConsumerProtocolAssignment> read_assignment(std::string_view blob, Arena& arena) {
  return read_blob<ConsumerProtocolAssignment>(blob, std::nullopt, arena);
}

std::optional<bool> subscribes(std::string_view subscription, std::string_view topic) {
  Arena arena;
  // Version 0 is the front part of every later version, and names the topics.
  const auto read = read_blob<ConsumerProtocolSubscription>(subscription, std::int16_t{0}, arena);
  if (!read) return std::nullopt;
  return std::ranges::find(read->topics, topic) != read->topics.end();
}

std::string write_assignment(const Assignment& assignment, const MetadataView& metadata,
                             std::int16_t version) {
  Arena arena;
  const auto topics = arena.array<ConsumerProtocolAssignment::TopicPartition>(assignment.size());
  std::size_t known = 0;
  for (const auto& [id, partitions] : assignment) {
    const auto topic = metadata.topic(id);
    if (!topic) continue;
    auto& out = topics[known++];
    out.topic = topic->name;
    out.partitions = arena.array<protocol::PartitionId>(partitions.size());
    std::ranges::copy(partitions, out.partitions.begin());
  }
  ConsumerProtocolAssignment message;
  message.assigned_partitions = topics.first(known);
  const auto readable = std::clamp(version, message.kInfo.min_version, message.kInfo.max_version);
  const auto encoded = protocol::encode(message, readable, arena, kVersionBytes);
  store_be<std::int16_t>(encoded.buffer.data(), readable);
  return std::string(as_text(encoded.buffer));
}

Assignment to_assignment(const ConsumerProtocolAssignment& message, const MetadataView& metadata) {
  Assignment assignment;
  for (const auto& topic : message.assigned_partitions) {
    const auto known = metadata.topic(topic.topic);
    if (!known || topic.partitions.empty()) continue;
    auto& partitions = assignment[known->id];
    for (const protocol::PartitionId partition : topic.partitions) partitions.push_back(partition.value);
    sort_unique(partitions);
  }
  return assignment;
}

}  // namespace milena::coordinator
