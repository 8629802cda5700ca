#include <fmt/core.h>

#include <set>
#include <utility>

#include "controller/decisions/create_topics.h"
#include "controller/decisions/new_partitions.h"
#include "controller/records/metadata_batch.h"

namespace milena::controller {
namespace {

using Request = protocol::CreatePartitionsRequest;
using Response = protocol::CreatePartitionsResponse;
using Result = Response::CreatePartitionsTopicResult;

Decided<Assignments> additional_replicas(const DecisionContext& context,
                                         const Request::CreatePartitionsTopic& topic, std::size_t present,
                                         std::size_t factor) {
  const auto additional = static_cast<std::size_t>(topic.count) - present;
  if (!topic.assignments) {
    return place_partitions(context, static_cast<std::int64_t>(additional),
                            static_cast<std::int32_t>(factor));
  }
  Assignments assignments;
  for (const auto& given : *topic.assignments) {
    MILENA_CHECK(check_assignment(context.image, given.broker_ids, factor));
    if (active_replicas(context.image, given.broker_ids).empty()) {
      return refuse(
          ErrorCode::kInvalidReplicaAssignment,
          fmt::format("All brokers specified in the manual partition assignment for partition {} are fenced "
                      "or in controlled shutdown.",
                      present + assignments.size()));
    }
    assignments.emplace_back(given.broker_ids.begin(), given.broker_ids.end());
  }
  return assignments;
}

Decided<void> check_counts(const Request::CreatePartitionsTopic& topic, std::size_t present) {
  const auto wanted = topic.count < 0 ? 0 : static_cast<std::size_t>(topic.count);
  if (wanted == present) {
    return refuse(ErrorCode::kInvalidPartitions, fmt::format("Topic already has {} partition(s).", present));
  }
  if (wanted < present) {
    return refuse(ErrorCode::kInvalidPartitions,
                  fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.",
                              topic.name, present, topic.count));
  }
  if (topic.assignments && topic.assignments->size() != wanted - present) {
    return refuse(
        ErrorCode::kInvalidReplicaAssignment,
        fmt::format("Attempted to add {} additional partition(s), but only {} assignment(s) were specified.",
                    wanted - present, topic.assignments->size()));
  }
  return {};
}

Decided<void> add_partitions(const DecisionContext& context, const Request::CreatePartitionsTopic& request,
                             std::vector<MetadataRecord>& records) {
  const Topic* topic = context.image.topic(request.name);
  if (topic == nullptr || topic->partitions.empty()) return refuse(ErrorCode::kUnknownTopicOrPartition);
  const std::size_t present = topic->partitions.size();
  MILENA_CHECK(check_counts(request, present));
  // Checked before anything is placed: a count may be as large as 2^31.
  if (records.size() + static_cast<std::size_t>(request.count) - present > kMaxRecordsPerOperation) {
    return refuse(ErrorCode::kPolicyViolation, "Unable to perform excessively large batch operation.");
  }
  const std::size_t factor = topic->partitions.begin()->value->replicas().size();
  MILENA_TRY(const Assignments assignments, additional_replicas(context, request, present, factor));
  std::vector<MetadataRecord> made;
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    const auto isr = active_replicas(context.image, assignments[i]);
    if (isr.empty()) {
      return refuse(
          ErrorCode::kInvalidReplicationFactor,
          fmt::format("Unable to replicate the partition {} time(s): All brokers are currently fenced or in "
                      "controlled shutdown.",
                      factor));
    }
    made.push_back(
        new_partition(context, topic->id, static_cast<std::int32_t>(present + i), assignments[i], isr));
  }
  records.insert(records.end(), made.begin(), made.end());
  return {};
}

}  // namespace

Outcome<protocol::CreatePartitionsResponse> create_partitions(
    const DecisionContext& context, const protocol::CreatePartitionsRequest& request,
    const TopicPredicate& may_alter) {
  std::set<std::string_view> seen, duplicates;
  for (const auto& topic : request.topics) {
    if (!seen.insert(topic.name).second) duplicates.insert(topic.name);
  }
  Outcome<Response> outcome;
  const std::span<Result> results = context.arena.array<Result>(seen.size());
  std::size_t next = 0;
  for (const auto& topic : request.topics) {
    if (seen.erase(topic.name) == 0) continue;
    Decided<void> decided;
    if (duplicates.contains(topic.name)) {
      decided = refuse(ErrorCode::kInvalidRequest, "Duplicate topic name.");
    } else if (!allows(may_alter, topic.name)) {
      decided = refuse(ErrorCode::kTopicAuthorizationFailed);
    } else {
      decided = add_partitions(context, topic, outcome.records);
    }
    Result& result = results[next++];
    result.name = topic.name;
    if (!decided) {
      result.error_code = decided.error().code;
      result.error_message = decided.error().text(context.arena);
    }
  }
  outcome.response.results = results;
  if (request.validate_only) outcome.records.clear();
  return outcome;
}

}  // namespace milena::controller
