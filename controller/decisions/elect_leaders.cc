#include "controller/decisions/elect_leaders.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "controller/decisions/leadership.h"
#include "controller/decisions/partition_change.h"
#include "controller/records/metadata_batch.h"

namespace milena::controller {
namespace {

using Request = protocol::ElectLeadersRequest;
using Response = protocol::ElectLeadersResponse;
using TopicResult = Response::ReplicaElectionResult;
using PartitionResult = TopicResult::PartitionResult;

enum ElectionType : std::int8_t { kPreferred = 0, kUnclean = 1 };

class LeaderElection {
 public:
  LeaderElection(const DecisionContext& context, const Request& request)
      : context_(context), request_(request), prefers_(request.election_type == kPreferred) {}

  Outcome<Response> run() {
    if (request_.topic_partitions && request_.topic_partitions->empty()) return {};
    if (request_.election_type != kPreferred && request_.election_type != kUnclean) {
      return refused({ErrorCode::kInvalidRequest,
                      fmt::format("Unknown election type {}", static_cast<int>(request_.election_type))});
    }
    Outcome<Response> outcome;
    outcome.response.replica_election_results = request_.topic_partitions ? elect_named() : elect_all();
    if (records_.size() > kMaxRecordsPerOperation) {
      return refused({ErrorCode::kPolicyViolation, "Unable to perform excessively large batch operation."});
    }
    outcome.records = std::move(records_);
    return outcome;
  }

 private:
  std::span<TopicResult> elect_named() {
    const auto& topics = *request_.topic_partitions;
    const auto results = context_.arena.array<TopicResult>(topics.size());
    for (std::size_t t = 0; t < topics.size(); ++t) {
      const Topic* topic = context_.image.topic(topics[t].topic);
      results[t] = result_for(topics[t].topic, topics[t].partitions.size());
      for (std::size_t p = 0; p < topics[t].partitions.size(); ++p) {
        const PartitionId index = topics[t].partitions[p];
        results[t].partition_result[p] = result(index, elect(topic, topics[t].topic, index));
      }
    }
    return results;
  }

  std::span<TopicResult> elect_all() {
    const auto results = context_.arena.array<TopicResult>(context_.image.topics.size());
    std::size_t at = 0;
    for (const auto& [id, topic] : context_.image.topics) {
      TopicResult& all = results[at++];
      all = result_for(context_.arena.text(topic->name), topic->partitions.size());
      std::size_t tried = 0;
      for (const auto& [index, partition] : topic->partitions) {
        const ApiError error = elect(*topic, index, *partition);
        if (error.code != ErrorCode::kElectionNotNeeded) all.partition_result[tried++] = result(index, error);
      }
      all.partition_result = all.partition_result.first(tried);
    }
    return results;
  }

  ApiError elect(const Topic* topic, std::string_view name, PartitionId index) {
    if (topic == nullptr) {
      return {ErrorCode::kUnknownTopicOrPartition, fmt::format("No such topic as {}", name)};
    }
    const Partition* partition = topic->partition(index);
    if (partition == nullptr) {
      return {ErrorCode::kUnknownTopicOrPartition,
              fmt::format("No such partition as {}-{}", name, index.value)};
    }
    return elect(*topic, index, *partition);
  }

  ApiError elect(const Topic& topic, PartitionId index, const Partition& partition) {
    const BrokerId preferred = partition.replicas().empty() ? kNoBroker : partition.replicas().front();
    const bool is_settled = prefers_ ? partition.leader() == preferred : partition.has_leader();
    if (is_settled) return refuse(ErrorCode::kElectionNotNeeded).error();
    const ElectionSettings settings = election_settings(context_, topic);
    const PartitionChange change{.current = partition,
                                 .topic = topic.id,
                                 .index = index,
                                 .metadata_version = context_.image.metadata_version(),
                                 .min_isr = settings.min_isr,
                                 .elr_enabled = elr_enabled(context_.image),
                                 .preferred_election = prefers_,
                                 .unclean_election = !prefers_,
                                 .may_lead =
                                     [&](BrokerId broker) {
                                       return may_lead_from(context_.image, broker,
                                                            partition.directory_of(broker));
                                     },
                                 .target_isr = {partition.isr().begin(), partition.isr().end()}};
    const auto record = change.to_record(context_.arena);
    if (!record) {
      return refuse(prefers_ ? ErrorCode::kPreferredLeaderNotAvailable
                             : ErrorCode::kEligibleLeadersNotAvailable)
          .error();
    }
    records_.push_back(*record);
    return {};
  }

  TopicResult result_for(std::string_view name, std::size_t partitions) {
    return {.topic = name, .partition_result = context_.arena.array<PartitionResult>(partitions)};
  }
  PartitionResult result(PartitionId index, const ApiError& error) {
    return {.partition_id = index, .error_code = error.code, .error_message = error.text(context_.arena)};
  }

  // Every partition that the request names fails with the same error, and so does the whole.
  Outcome<Response> refused(const ApiError& error) {
    Outcome<Response> outcome;
    outcome.response.error_code = error.code;
    if (!request_.topic_partitions) return outcome;
    const auto& topics = *request_.topic_partitions;
    outcome.response.replica_election_results = context_.arena.array<TopicResult>(topics.size());
    for (std::size_t t = 0; t < topics.size(); ++t) {
      TopicResult& all = outcome.response.replica_election_results[t];
      all = result_for(topics[t].topic, topics[t].partitions.size());
      std::ranges::transform(topics[t].partitions, all.partition_result.begin(),
                             [&](PartitionId index) { return result(index, error); });
    }
    return outcome;
  }

  const DecisionContext& context_;
  const Request& request_;
  const bool prefers_;
  std::vector<MetadataRecord> records_;
};

}  // namespace

Outcome<protocol::ElectLeadersResponse> elect_leaders(const DecisionContext& context,
                                                      const protocol::ElectLeadersRequest& request) {
  return LeaderElection(context, request).run();
}

}  // namespace milena::controller
