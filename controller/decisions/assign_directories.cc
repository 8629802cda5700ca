#include "controller/decisions/assign_directories.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "controller/decisions/leadership.h"
#include "controller/decisions/partition_change.h"

namespace milena::controller {
namespace {

using Request = protocol::AssignReplicasToDirsRequest;
using Response = protocol::AssignReplicasToDirsResponse;
using RequestTopic = Request::DirectoryData::TopicData;
using ResponseTopic = Response::DirectoryData::TopicData;
using ResponsePartition = ResponseTopic::PartitionData;

class DirectoryAssigner {
 public:
  DirectoryAssigner(const DecisionContext& context, const BrokerRegistration& broker)
      : context_(context), broker_(broker) {}

  std::span<Response::DirectoryData> assign(std::span<const Request::DirectoryData> requested) {
    const auto directories = context_.arena.array<Response::DirectoryData>(requested.size());
    for (std::size_t i = 0; i < requested.size(); ++i) {
      const auto topics = context_.arena.array<ResponseTopic>(requested[i].topics.size());
      for (std::size_t j = 0; j < topics.size(); ++j) {
        topics[j] = assign_topic(requested[i].id, requested[i].topics[j]);
      }
      directories[i] = {.id = requested[i].id, .topics = topics};
    }
    return directories;
  }

  std::vector<MetadataRecord> records() const {
    std::vector<MetadataRecord> records;
    for (const auto& [partition, change] : changes_) {
      if (change) records.push_back(*change);
    }
    return records;
  }

 private:
  ResponseTopic assign_topic(const Uuid& directory, const RequestTopic& requested) {
    const auto partitions = context_.arena.array<ResponsePartition>(requested.partitions.size());
    const Topic* topic = context_.image.topic(requested.topic_id);
    std::optional<ElectionSettings> settings;
    if (topic != nullptr) settings = election_settings(context_, *topic);
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      const PartitionId index = requested.partitions[i].partition_index;
      partitions[i] = {.partition_index = index,
                       .error_code = topic == nullptr ? ErrorCode::kUnknownTopicId
                                                      : assign_replica(directory, *topic, index, *settings)};
    }
    return {.topic_id = requested.topic_id, .partitions = partitions};
  }

  ErrorCode assign_replica(const Uuid& directory, const Topic& topic, PartitionId index,
                           const ElectionSettings& settings) {
    const Partition* partition = topic.partition(index);
    if (partition == nullptr) return ErrorCode::kUnknownTopicOrPartition;
    if (!partition->is_replica(broker_.id)) return ErrorCode::kNotLeaderOrFollower;
    changes_[{topic.id, index}] =
        change_of(directory, topic, index, *partition, settings).to_record(context_.arena);
    return ErrorCode::kNone;
  }

  PartitionChange change_of(const Uuid& directory, const Topic& topic, PartitionId index,
                            const Partition& partition, const ElectionSettings& settings) const {
    const bool online = broker_.has_online_dir(directory);
    PartitionChange change{
        .current = partition,
        .topic = topic.id,
        .index = index,
        .metadata_version = context_.image.metadata_version(),
        .min_isr = settings.min_isr,
        .elr_enabled = elr_enabled(context_.image),
        // A replica that comes to an online directory is no reason to lose records.
        .unclean_election = settings.unclean && !online,
        .may_lead =
            [this, &directory, &partition](BrokerId broker) {
              return may_lead_from(context_.image, broker,
                                   broker == broker_.id ? directory : partition.directory_of(broker));
            },
        .target_isr = {partition.isr().begin(), partition.isr().end()},
        .target_directories = {partition.directories().begin(), partition.directories().end()}};
    if (!online) std::erase(change.target_isr, broker_.id);
    const auto replica = std::ranges::find(partition.replicas(), broker_.id) - partition.replicas().begin();
    change.target_directories[static_cast<std::size_t>(replica)] = directory;
    return change;
  }

  const DecisionContext& context_;
  const BrokerRegistration& broker_;
  // All decided upon the same image: of a partition that is listed twice the last directory counts.
  std::map<std::pair<Uuid, PartitionId>, std::optional<MetadataRecord>> changes_;
};

}  // namespace

Outcome<Response> assign_directories(const DecisionContext& context, const Request& request) {
  if (context.image.metadata_version() < kMetadataVersion37Iv2) {
    return {.response = {.error_code = ErrorCode::kUnsupportedVersion}};
  }
  const BrokerRegistration* broker = context.image.broker(request.broker_id);
  if (broker == nullptr || broker->epoch != request.broker_epoch) {
    return {.response = {.error_code = ErrorCode::kStaleBrokerEpoch}};
  }
  DirectoryAssigner assigner(context, *broker);
  const auto directories = assigner.assign(request.directories);
  return {.response = {.directories = directories}, .records = assigner.records()};
}

}  // namespace milena::controller
