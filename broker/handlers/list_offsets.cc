#include "broker/handlers/list_offsets.h"

#include <set>
#include <utility>

#include "protocol/error_code.h"

namespace milena::broker {
namespace {

constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;
constexpr std::int64_t kMaxTimestamp = -3;
constexpr std::int64_t kEarliestLocal = -4;
constexpr std::int64_t kLatestTiered = -5;
constexpr std::int64_t kEarliestPendingUpload = -6;
constexpr protocol::BrokerId kConsumer = -1;

bool timestamp_known(std::int64_t timestamp, int version) {
  switch (timestamp) {
    case kLatest:
    case kEarliest:
      return true;
    case kMaxTimestamp:
      return version >= 7;
    case kEarliestLocal:
      return version >= 8;
    case kLatestTiered:
      return version >= 9;
    case kEarliestPendingUpload:
      return version >= 11;
    default:
      return timestamp >= 0;
  }
}

}  // namespace

protocol::ListOffsetsResponse ListOffsetsHandler::handle(Call& call,
                                                         const protocol::ListOffsetsRequest& request) {
  using Request = protocol::ListOffsetsRequest;
  using Response = protocol::ListOffsetsResponse;
  std::set<std::pair<std::string_view, PartitionId>> seen, twice, told;
  for (const Request::ListOffsetsTopic& topic : request.topics) {
    for (const Asked& asked : topic.partitions) {
      const std::pair key(topic.name, asked.partition_index);
      if (!seen.insert(key).second) twice.insert(key);
    }
  }

  Response response;
  response.topics = call.arena.array<Response::ListOffsetsTopicResponse>(request.topics.size());
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    auto& answers = response.topics[t];
    answers.name = topic.name;
    answers.partitions = call.arena.array<Answer>(topic.partitions.size());
    std::size_t answered = 0;
    for (const Asked& asked : topic.partitions) {
      const bool repeated = twice.contains({topic.name, asked.partition_index});
      if (repeated && !told.insert({topic.name, asked.partition_index}).second) continue;
      const auto answer = repeated ? fail(ErrorCode::kInvalidRequest, "the partition is listed twice")
                                   : look_up(call, request, topic.name, asked);
      Answer& out = answers.partitions[answered++];
      out = answer ? *answer : Answer{.error_code = answer.error().code};
      out.partition_index = asked.partition_index;
    }
    answers.partitions = answers.partitions.first(answered);
  }
  return response;
}

Result<ListOffsetsHandler::Answer> ListOffsetsHandler::look_up(const Call& call,
                                                               const protocol::ListOffsetsRequest& request,
                                                               std::string_view topic, const Asked& asked) {
  if (!timestamp_known(asked.timestamp, call.version)) {
    return fail(ErrorCode::kUnsupportedVersion, "this version does not know the timestamp");
  }
  if (request.isolation_level != 0 && request.isolation_level != 1) {
    return fail(ErrorCode::kInvalidRequest, "no such isolation level");
  }
  const auto partition = partitions_.find(topic, asked.partition_index);
  if (partition == nullptr) return fail(ErrorCode::kUnknownTopicOrPartition, "no such partition");
  MILENA_TRY(const auto offsets, partition->offsets(asked.current_leader_epoch));
  const Offset end = request.replica_id != kConsumer ? offsets.log_end
                     : request.isolation_level == 1  ? offsets.last_stable
                                                     : offsets.high_watermark;
  if (asked.timestamp == kLatest) return Answer{.offset = end, .leader_epoch = offsets.leader_epoch};
  if (asked.timestamp == kLatestTiered || asked.timestamp == kEarliestPendingUpload) return Answer{};

  if (asked.timestamp == kEarliest || asked.timestamp == kEarliestLocal) {
    MILENA_TRY(const auto first, partition->earliest(asked.current_leader_epoch));
    return Answer{.offset = first.offset, .leader_epoch = first.leader_epoch};
  }
  MILENA_TRY(const auto found,
             asked.timestamp == kMaxTimestamp
                 ? partition->max_timestamp(asked.current_leader_epoch)
                 : partition->offset_for_timestamp(asked.timestamp, asked.current_leader_epoch));
  if (!found || found->offset >= end) return Answer{};
  return Answer{.timestamp = found->timestamp, .offset = found->offset, .leader_epoch = found->leader_epoch};
}

}  // namespace milena::broker
