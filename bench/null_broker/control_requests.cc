#include "bench/null_broker/control_requests.h"

#include <algorithm>

#include "protocol/api.gen.h"
#include "protocol/create_topics.gen.h"
#include "protocol/error_code.h"
#include "protocol/frame.h"
#include "protocol/init_producer_id.gen.h"
#include "protocol/list_offsets.gen.h"
#include "protocol/metadata.gen.h"

namespace milena::bench {
namespace {

using namespace milena::protocol;

constexpr BrokerId kOnlyBroker = 1;
constexpr std::int64_t kLatestTimestamp = -1;

void describe(MetadataResponse::MetadataResponseTopic& topic, const Topics::Partitions& partitions,
              Arena& arena) {
  using Partition = MetadataResponse::MetadataResponseTopic::MetadataResponsePartition;
  topic.partitions = arena.array<Partition>(partitions.size());
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    Partition& partition = topic.partitions[i];
    partition.partition_index = static_cast<std::int32_t>(i);
    partition.leader_id = kOnlyBroker;
    partition.leader_epoch = 0;
    partition.replica_nodes = arena.array<BrokerId>(1);
    partition.replica_nodes[0] = kOnlyBroker;
    partition.isr_nodes = partition.replica_nodes;
  }
}

MetadataResponse answer(const MetadataRequest& request, const Topics& topics, std::uint16_t port,
                        Arena& arena) {
  MetadataResponse response;
  response.brokers = arena.array<MetadataResponse::MetadataResponseBroker>(1);
  response.brokers[0].node_id = kOnlyBroker;
  response.brokers[0].host = "127.0.0.1";
  response.brokers[0].port = port;
  response.controller_id = kOnlyBroker;
  const std::size_t count = request.topics ? request.topics->size() : topics.all().size();
  response.topics = arena.array<MetadataResponse::MetadataResponseTopic>(count);
  if (!request.topics) {
    auto* topic = response.topics.data();
    for (const auto& [name, partitions] : topics.all()) {
      topic->name = name;
      describe(*topic++, partitions, arena);
    }
    return response;
  }
  for (std::size_t i = 0; i < count; ++i) {
    MetadataResponse::MetadataResponseTopic& topic = response.topics[i];
    topic.name = (*request.topics)[i].name.value_or("");
    const auto found = topics.all().find(*topic.name);
    if (found == topics.all().end()) {
      topic.error_code = ErrorCode::kUnknownTopicOrPartition;
    } else {
      describe(topic, found->second, arena);
    }
  }
  return response;
}

CreateTopicsResponse answer(const CreateTopicsRequest& request, Topics& topics, Arena& arena) {
  CreateTopicsResponse response;
  response.topics = arena.array<CreateTopicsResponse::CreatableTopicResult>(request.topics.size());
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    const auto partitions = static_cast<std::size_t>(std::max(1, request.topics[i].num_partitions));
    response.topics[i].name = request.topics[i].name;
    if (!topics.create(request.topics[i].name, partitions)) {
      response.topics[i].error_code = ErrorCode::kTopicAlreadyExists;
    }
  }
  return response;
}

ListOffsetsResponse answer(const ListOffsetsRequest& request, Topics& topics, Arena& arena) {
  ListOffsetsResponse response;
  using Topic = ListOffsetsResponse::ListOffsetsTopicResponse;
  response.topics = arena.array<Topic>(request.topics.size());
  for (std::size_t i = 0; i < request.topics.size(); ++i) {
    const auto& asked = request.topics[i];
    auto& topic = response.topics[i];
    topic.name = asked.name;
    topic.partitions = arena.array<Topic::ListOffsetsPartitionResponse>(asked.partitions.size());
    for (std::size_t k = 0; k < asked.partitions.size(); ++k) {
      auto& partition = topic.partitions[k];
      partition.partition_index = asked.partitions[k].partition_index;
      const PartitionFile* file = topics.find(asked.name, partition.partition_index.value);
      if (file == nullptr) {
        partition.error_code = ErrorCode::kUnknownTopicOrPartition;
      } else {
        partition.offset = asked.partitions[k].timestamp == kLatestTimestamp ? file->end_offset() : 0;
      }
    }
  }
  return response;
}

InitProducerIdResponse init_producer_id(std::int64_t producer_id) {
  InitProducerIdResponse response;
  response.producer_id = producer_id;
  response.producer_epoch = 0;
  return response;
}

template <class Response>
bool send(const Response& response, const Request& request, Arena& arena, AnswerQueue& answers) {
  const BytesView frame =
      flatten(encode_response(response, request.version, request.correlation_id, arena), arena);
  std::ranges::copy(frame, answers.extend(frame.size()).begin());
  return true;
}

}  // namespace

bool ControlRequests::answer(BytesView frame, AnswerQueue& answers) {
  arena_.reset();
  const auto request = parse_request(frame);
  if (!request || !request->version_served) return false;
  switch (static_cast<ApiKey>(request->api->key)) {
    case ApiKey::kMetadata: {
      const auto body = decode<MetadataRequest>(request->body, request->version, arena_);
      return body && send(bench::answer(*body, topics_, port_, arena_), *request, arena_, answers);
    }
    case ApiKey::kCreateTopics: {
      const auto body = decode<CreateTopicsRequest>(request->body, request->version, arena_);
      return body && send(bench::answer(*body, topics_, arena_), *request, arena_, answers);
    }
    case ApiKey::kListOffsets: {
      const auto body = decode<ListOffsetsRequest>(request->body, request->version, arena_);
      return body && send(bench::answer(*body, topics_, arena_), *request, arena_, answers);
    }
    case ApiKey::kInitProducerId:
      return send(init_producer_id(next_producer_id_++), *request, arena_, answers);
    default:
      return false;
  }
}

}  // namespace milena::bench
