#include "broker/handlers/metadata_response.h"

#include <algorithm>
#include <set>

#include "broker/coordinators/internal_topics.h"
#include "broker/handlers/authorized_operations.h"
#include "controller/decisions/topic_names.h"

namespace milena::broker {
namespace {

using protocol::MetadataRequest;
using protocol::MetadataResponse;
using TopicAnswer = MetadataResponse::MetadataResponseTopic;

bool by_id(const MetadataRequest::MetadataRequestTopic& topic) { return !topic.topic_id.is_zero(); }

TopicAnswer describe_topic(const Call& call, const ClusterView& view, const controller::Topic& topic) {
  TopicAnswer answer;
  answer.name = topic.name;
  answer.topic_id = topic.id;
  answer.is_internal = is_internal_topic(topic.name);
  answer.partitions = call.arena.array<TopicAnswer::MetadataResponsePartition>(topic.partitions.size());
  std::size_t at = 0;
  for (const auto& [index, partition] : topic.partitions) {
    auto& out = answer.partitions[at++];
    const auto seen = view.partition(*partition, call.version > 0);
    out.error_code = seen.error;
    // Before v6 clients did not know LISTENER_NOT_FOUND.
    if (call.version < 6 && seen.error == ErrorCode::kListenerNotFound)
      out.error_code = ErrorCode::kLeaderNotAvailable;
    out.partition_index = index;
    out.leader_id = seen.leader;
    out.leader_epoch = partition->leader_epoch();
    out.replica_nodes = seen.replicas;
    out.isr_nodes = seen.isr;
    out.offline_replicas = seen.offline_replicas;
  }
  return answer;
}

ErrorCode error_of_missing(std::string_view name, const protocol::CreateTopicsResponse& created) {
  if (controller::topic_name_error(name)) return ErrorCode::kInvalidTopicException;
  for (const auto& topic : created.topics) {
    if (topic.name == name && topic.error_code != ErrorCode::kNone) return topic.error_code;
  }
  return ErrorCode::kUnknownTopicOrPartition;
}

TopicAnswer describe_by_id(const Call& call, const ClusterView& view, const Uuid& id) {
  if (const auto* topic = view.image().topic(id)) return describe_topic(call, view, *topic);
  TopicAnswer answer;
  answer.error_code = ErrorCode::kUnknownTopicId;
  answer.name = std::nullopt;
  answer.topic_id = id;
  return answer;
}

TopicAnswer describe_by_name(const Call& call, const ClusterView& view, std::string_view name,
                             const protocol::CreateTopicsResponse& created) {
  if (const auto* topic = view.image().topic(name)) return describe_topic(call, view, *topic);
  TopicAnswer answer;
  answer.error_code = error_of_missing(name, created);
  answer.name = name;
  answer.is_internal = is_internal_topic(name);
  return answer;
}

std::span<TopicAnswer> describe_all(const Call& call, const ClusterView& view) {
  const auto& topics = view.image().topics;
  const auto answers = call.arena.array<TopicAnswer>(topics.size());
  std::size_t at = 0;
  for (const auto& [id, topic] : topics) answers[at++] = describe_topic(call, view, *topic);
  return answers;
}

// Each topic once, however often it is asked for.
std::span<TopicAnswer> describe_asked(const Call& call, const ClusterView& view,
                                      std::span<const MetadataRequest::MetadataRequestTopic> topics,
                                      const protocol::CreateTopicsResponse& created) {
  const auto answers = call.arena.array<TopicAnswer>(topics.size());
  const bool use_ids = std::ranges::any_of(topics, by_id);
  std::set<std::string_view> named;
  std::set<Uuid> identified;
  std::size_t at = 0;
  for (const auto& asked : topics) {
    if (use_ids) {
      if (!by_id(asked) || !identified.insert(asked.topic_id).second) continue;
      answers[at++] = describe_by_id(call, view, asked.topic_id);
    } else if (!asked.name) {  // neither id nor name
      answers[at++].error_code = ErrorCode::kInvalidRequest;
    } else if (named.insert(*asked.name).second) {
      answers[at++] = describe_by_name(call, view, *asked.name, created);
    }
  }
  return answers.first(at);
}

}  // namespace

bool MetadataResponseBuilder::asks_for_all(const Call& call, const MetadataRequest& request) {
  return !request.topics || (call.version == 0 && request.topics->empty());
}

Status MetadataResponseBuilder::check(const Call& call, const MetadataRequest& request) {
  if (!request.topics || call.version >= 12) return {};
  for (const auto& topic : *request.topics) {
    if (!topic.name) return fail(ErrorCode::kInvalidRequest, "a topic name is null before version 12");
    if (by_id(topic)) return fail(ErrorCode::kInvalidRequest, "a topic is asked by id before version 12");
  }
  return {};
}

std::vector<std::string_view> MetadataResponseBuilder::missing_topics(
    const Call& call, const MetadataRequest& request, const controller::MetadataImage& image) {
  std::vector<std::string_view> missing;
  if (asks_for_all(call, request)) return missing;
  for (const auto& topic : *request.topics) {
    if (by_id(topic)) return {};  // ids win over names, and an id cannot be created
    // Share groups have no coordinator here that could use their topic.
    if (topic.name && image.topic(*topic.name) == nullptr && *topic.name != kShareStateTopic &&
        !controller::topic_name_error(*topic.name)) {
      missing.push_back(*topic.name);
    }
  }
  std::ranges::sort(missing);
  missing.erase(std::ranges::unique(missing).begin(), missing.end());
  return missing;
}

MetadataResponse MetadataResponseBuilder::refusal(Call& call, const MetadataRequest& request,
                                                  ErrorCode error) const {
  MetadataResponse response;
  response.topics = call.arena.array<TopicAnswer>(request.topics->size());
  for (std::size_t i = 0; i < response.topics.size(); ++i) {
    response.topics[i].error_code = error;
    response.topics[i].name = (*request.topics)[i].name.value_or("");
    response.topics[i].topic_id = (*request.topics)[i].topic_id;
  }
  return response;
}

MetadataResponse MetadataResponseBuilder::response(Call& call, const MetadataRequest& request,
                                                   const controller::MetadataImage& image,
                                                   const protocol::CreateTopicsResponse& created) const {
  const ClusterView view(image, self_, call);
  MetadataResponse response;
  response.cluster_id = cluster_id_;

  auto brokers = call.arena.array<MetadataResponse::MetadataResponseBroker>(image.brokers.size());
  std::size_t alive = 0;
  for (const auto& [id, registration] : image.brokers) {
    const auto node = view.node(id);
    if (!node || !view.is_alive(id)) continue;
    brokers[alive++] = {.node_id = id, .host = node->host, .port = node->port, .rack = node->rack};
  }
  response.brokers = brokers.first(alive);
  // Any alive broker forwards admin requests; naming this one saves a hop.
  if (view.is_alive(self_))
    response.controller_id = self_;
  else if (alive > 0)
    response.controller_id = brokers[0].node_id;

  response.topics = asks_for_all(call, request) ? describe_all(call, view)
                                                : describe_asked(call, view, *request.topics, created);
  if (request.include_topic_authorized_operations) {
    for (auto& topic : response.topics) topic.topic_authorized_operations = kAllTopicOperations;
  }
  if (request.include_cluster_authorized_operations)
    response.cluster_authorized_operations = kAllClusterOperations;
  return response;
}

}  // namespace milena::broker
