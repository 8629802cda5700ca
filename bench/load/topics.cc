#include "bench/load/topics.h"

#include <algorithm>
#include <array>
#include <expected>

#include "bench/load/retry.h"
#include "protocol/create_topics.gen.h"
#include "protocol/error_code.h"
#include "protocol/list_offsets.gen.h"
#include "protocol/metadata.gen.h"

namespace milena::bench {
namespace {

using namespace milena::protocol;

bool all_have_leaders(WireClient& client, const std::string& topic, int partitions) {
  std::array<MetadataRequest::MetadataRequestTopic, 1> topics{};
  topics[0].name = topic;
  MetadataRequest request;
  request.topics = topics;
  request.allow_auto_topic_creation = false;
  const auto response = client.call<MetadataResponse>(request, 12);
  const auto& found = response.topics[0];
  if (found.error_code == ErrorCode::kUnknownTopicOrPartition) return false;
  require_success(topic, found.error_code);
  if (found.partitions.size() != static_cast<std::size_t>(partitions)) {
    fail_run("{} has {} partitions, not {}", topic, found.partitions.size(), partitions);
  }
  return std::ranges::all_of(found.partitions, [](const auto& partition) {
    return partition.error_code == ErrorCode::kNone && partition.leader_id >= 0;
  });
}

std::expected<std::vector<std::int64_t>, ErrorCode> ask_offsets(WireClient& client, const std::string& topic,
                                                                int partitions, LogEnd end) {
  using Topic = ListOffsetsRequest::ListOffsetsTopic;
  std::vector<Topic::ListOffsetsPartition> asked(static_cast<std::size_t>(partitions));
  for (int i = 0; i < partitions; ++i) {
    asked[static_cast<std::size_t>(i)].partition_index = i;
    asked[static_cast<std::size_t>(i)].timestamp = end == LogEnd::kLatest ? -1 : -2;
  }
  std::array<Topic, 1> topics{};
  topics[0].name = topic;
  topics[0].partitions = asked;
  ListOffsetsRequest request;
  request.replica_id = -1;
  request.topics = topics;
  const auto response = client.call<ListOffsetsResponse>(request, 7);
  std::vector<std::int64_t> offsets(asked.size());
  for (const auto& partition : response.topics[0].partitions) {
    if (partition.error_code != ErrorCode::kNone) return std::unexpected(partition.error_code);
    offsets[static_cast<std::size_t>(partition.partition_index.value)] = partition.offset.value;
  }
  return offsets;
}

// Unless it is there. Its leaders may not serve it yet.
void create_topic(WireClient& client, const std::string& topic, int partitions) {
  std::array<CreateTopicsRequest::CreatableTopic, 1> topics{};
  topics[0].name = topic;
  topics[0].num_partitions = partitions;
  topics[0].replication_factor = 1;
  CreateTopicsRequest request;
  request.topics = topics;
  request.timeout_ms = 60'000;
  const auto response = client.call<CreateTopicsResponse>(request, 7);
  const ErrorCode error = response.topics[0].error_code;
  if (error != ErrorCode::kTopicAlreadyExists) require_success("CreateTopics", error);
}

}  // namespace

void prepare_topic(WireClient& client, const std::string& topic, int partitions, bool create) {
  if (create) create_topic(client, topic, partitions);
  // Metadata may name a leader that has not heard of it yet.
  retry_until_ready("the topic has no leaders, or is not there (--create)", [&] {
    return all_have_leaders(client, topic, partitions) &&
           ask_offsets(client, topic, partitions, LogEnd::kLatest).has_value();
  });
}

std::vector<std::int64_t> list_offsets(WireClient& client, const std::string& topic, int partitions,
                                       LogEnd end) {
  const auto offsets = ask_offsets(client, topic, partitions, end);
  if (!offsets) require_success("ListOffsets", offsets.error());
  return *offsets;
}

}  // namespace milena::bench
