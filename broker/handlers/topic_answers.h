// TopicAnswers: the partitions of a request that are refused before a coordinator sees it, and how they come
// together with what the coordinator answers about the others.
//
// Topics that were refused in part come first, as in Kafka.
#pragma once

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/uuid.h"
#include "controller/image/metadata_image.h"
#include "protocol/error_code.h"
#include "protocol/types.h"

namespace milena::broker {

// Topic: a topic of a response, with `name`, `partitions` of {partition_index, error_code}, and `topic_id` if
// it has one.
template <class Topic>
class TopicAnswers {
 public:
  using Partition = typename decltype(Topic::partitions)::value_type;

  // `name` lives as long as the request.
  void refuse(std::string_view name, const Uuid& topic_id, protocol::PartitionId partition, ErrorCode error) {
    const auto [at, is_new] = places_.try_emplace({name, topic_id}, refused_.size());
    if (is_new) {
      Topic topic;
      topic.name = name;
      if constexpr (requires { topic.topic_id; }) topic.topic_id = topic_id;
      refused_.push_back({topic, {}});
    }
    refused_[at->second].partitions.push_back({.partition_index = partition, .error_code = error});
  }

  // Both together, in `arena`.
  std::span<Topic> with(std::span<Topic> answered, Arena& arena) {
    if (refused_.empty()) return answered;
    std::vector<Topic> others;
    for (const Topic& topic : answered) {
      Uuid id;
      if constexpr (requires { topic.topic_id; }) id = topic.topic_id;
      const auto at = places_.find({topic.name, id});
      if (at == places_.end()) {
        others.push_back(topic);
      } else {
        auto& partitions = refused_[at->second].partitions;
        partitions.insert(partitions.end(), topic.partitions.begin(), topic.partitions.end());
      }
    }
    auto all = arena.array<Topic>(refused_.size() + others.size());
    for (std::size_t i = 0; i < refused_.size(); ++i) {
      all[i] = refused_[i].topic;
      all[i].partitions = arena.array<Partition>(refused_[i].partitions.size());
      std::ranges::copy(refused_[i].partitions, all[i].partitions.begin());
    }
    std::ranges::copy(others, all.subspan(refused_.size()).begin());
    return all;
  }

 private:
  struct Refused {
    Topic topic;
    std::vector<Partition> partitions;
  };
  std::vector<Refused> refused_;
  std::map<std::pair<std::string_view, Uuid>, std::size_t> places_;
};

// The part of a commit that can be done: its partitions that exist, their topics with name and id. The others
// go to `answers`. `by_id`: the request names its topics by id.
template <class Request, class Answered>
Request existing_part(const Request& request, bool by_id, const controller::MetadataImage& image,
                      TopicAnswers<Answered>& answers, Arena& arena) {
  using Topic = typename decltype(request.topics)::value_type;
  using Partition = typename decltype(Topic::partitions)::value_type;
  Request part = request;
  part.topics = arena.array<Topic>(request.topics.size());
  std::size_t topics = 0;
  for (const Topic& asked : request.topics) {
    const auto* topic = by_id ? image.topic(asked.topic_id) : image.topic(asked.name);
    const ErrorCode error =
        by_id && topic == nullptr ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition;
    auto partitions = arena.array<Partition>(asked.partitions.size());
    std::size_t count = 0;
    for (const Partition& partition : asked.partitions) {
      if (topic != nullptr && topic->partition(partition.partition_index) != nullptr) {
        partitions[count++] = partition;
      } else {
        answers.refuse(asked.name, asked.topic_id, partition.partition_index, error);
      }
    }
    if (count == 0) continue;
    part.topics[topics++] = {.name = by_id ? arena.text(topic->name) : asked.name,
                             .topic_id = topic->id,
                             .partitions = partitions.first(count)};
  }
  part.topics = part.topics.first(topics);
  return part;
}

// Names answered topics as the request did, so that they meet what was refused.
template <class Topic>
void name_as_asked(std::span<Topic> topics, bool by_id) {
  for (Topic& topic : topics) {
    if (by_id) {
      topic.name = "";
    } else {
      topic.topic_id = {};
    }
  }
}

}  // namespace milena::broker
