#include "broker/handlers/offsets.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "broker/coordinators/gather.h"
#include "broker/handlers/group_call.h"
#include "broker/handlers/topic_answers.h"

namespace milena::broker {
namespace {

using controller::MetadataImage;
using coordinator::FetchOffsets;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;
using AskedGroup = OffsetFetchRequest::OffsetFetchRequestGroup;
using GroupAnswer = OffsetFetchResponse::OffsetFetchResponseGroup;
using TopicAnswer = GroupAnswer::OffsetFetchResponseTopics;

constexpr int kTopicIds = 10;   // of OffsetCommit and OffsetFetch: topics come by id from here on
constexpr int kManyGroups = 8;  // of OffsetFetch: groups in an array from here on (KIP-709)

// Of the partitions, those that exist; the others go to `refuse`.
template <class Partition, class Refuse>
std::span<Partition> existing(std::span<Partition> partitions, const controller::Topic& topic, Refuse refuse,
                              Arena& arena) {
  auto kept = arena.array<Partition>(partitions.size());
  std::size_t count = 0;
  for (const Partition& partition : partitions) {
    if (topic.partition(partition.partition_index) != nullptr) {
      kept[count++] = partition;
    } else {
      refuse(partition);
    }
  }
  return kept.first(count);
}

// OffsetFetch before version 8 as one of later versions asks.
AskedGroup only_group(const OffsetFetchRequest& request, Arena& arena) {
  AskedGroup group;
  group.group_id = request.group_id;
  if (!request.topics) return group;
  group.topics = arena.array<AskedGroup::OffsetFetchRequestTopics>(request.topics->size());
  for (std::size_t t = 0; t < request.topics->size(); ++t) {
    (*group.topics)[t].name = (*request.topics)[t].name;
    (*group.topics)[t].partition_indexes = (*request.topics)[t].partition_indexes;
  }
  return group;
}

// ... and its answer as those clients know it.
OffsetFetchResponse only_answer(const GroupAnswer& group, Arena& arena) {
  using Topic = OffsetFetchResponse::OffsetFetchResponseTopic;
  OffsetFetchResponse response;
  response.error_code = group.error_code;
  response.topics = arena.array<Topic>(group.topics.size());
  for (std::size_t t = 0; t < group.topics.size(); ++t) {
    const TopicAnswer& topic = group.topics[t];
    response.topics[t].name = topic.name;
    response.topics[t].partitions = arena.array<Topic::OffsetFetchResponsePartition>(topic.partitions.size());
    std::ranges::transform(topic.partitions, response.topics[t].partitions.begin(),
                           [](const auto& partition) {
                             return Topic::OffsetFetchResponsePartition{
                                 .partition_index = partition.partition_index,
                                 .committed_offset = partition.committed_offset,
                                 .committed_leader_epoch = partition.committed_leader_epoch,
                                 .metadata = partition.metadata,
                                 .error_code = partition.error_code};
                           });
  }
  return response;
}

TopicAnswer unknown_topic_id(const AskedGroup::OffsetFetchRequestTopics& asked, Arena& arena) {
  TopicAnswer answer;
  answer.topic_id = asked.topic_id;
  answer.partitions = arena.array<TopicAnswer::OffsetFetchResponsePartitions>(asked.partition_indexes.size());
  std::ranges::transform(
      asked.partition_indexes, answer.partitions.begin(), [](protocol::PartitionId partition) {
        return TopicAnswer::OffsetFetchResponsePartitions{.partition_index = partition,
                                                          .committed_offset = protocol::kNoOffset,
                                                          .metadata = "",
                                                          .error_code = ErrorCode::kUnknownTopicId};
      });
  return answer;
}

// Gives the topics their names. Those that have none are taken out of what is asked and answered at once.
std::vector<TopicAnswer> name_topics(AskedGroup& group, const MetadataImage& image, Arena& arena) {
  std::vector<TopicAnswer> unknown;
  if (!group.topics) return unknown;
  std::size_t known = 0;
  for (auto& topic : *group.topics) {
    if (const auto* found = image.topic(topic.topic_id)) {
      topic.name = arena.text(found->name);
      (*group.topics)[known++] = topic;
    } else {
      unknown.push_back(unknown_topic_id(topic, arena));
    }
  }
  group.topics = group.topics->first(known);
  return unknown;
}

// Where all topics were asked for: ids for those that exist; the others cannot be told of.
std::span<TopicAnswer> with_ids(std::span<TopicAnswer> topics, const MetadataImage& image) {
  std::size_t known = 0;
  for (TopicAnswer topic : topics) {
    if (topic.topic_id.is_zero()) {
      if (const auto* found = image.topic(topic.name)) topic.topic_id = found->id;
    }
    if (!topic.topic_id.is_zero()) topics[known++] = topic;
  }
  return topics.first(known);
}

std::span<TopicAnswer> joined(std::span<TopicAnswer> first, const std::vector<TopicAnswer>& second,
                              Arena& arena) {
  if (second.empty()) return first;
  auto all = arena.array<TopicAnswer>(first.size() + second.size());
  std::ranges::copy(second, std::ranges::copy(first, all.begin()).out);
  return all;
}

}  // namespace

void OffsetHandlers::commit(Call& call, const OffsetCommitRequest& request, Responder responder) {
  const auto image = metadata_.image();
  const bool by_id = call.version >= kTopicIds;
  TopicAnswers<OffsetCommitResponse::OffsetCommitResponseTopic> answers;
  const auto checked = existing_part(request, by_id, *image, answers, call.arena);
  if (checked.topics.empty()) {
    return responder.send(OffsetCommitResponse{.topics = answers.with({}, call.arena)});
  }
  groups_.ask(checked.group_id, group_context(call), checked,
              [responder = std::move(responder), answers = std::move(answers),
               by_id](GroupCoordinator::Completion&& completion) mutable {
                auto response = std::get<OffsetCommitResponse>(completion.reply);
                name_as_asked(response.topics, by_id);
                response.topics = answers.with(response.topics, responder.request().arena());
                responder.send(response);
              });
}

void OffsetHandlers::fetch(Call& call, const OffsetFetchRequest& request, Responder responder) {
  const auto image = metadata_.image();
  const auto context = group_context(call);
  Arena& arena = call.arena;
  std::vector<AskedGroup> asked(request.groups.begin(), request.groups.end());
  if (call.version < kManyGroups) asked = {only_group(request, arena)};
  std::vector<std::vector<TopicAnswer>> unknown(asked.size());
  if (call.version >= kTopicIds) {
    for (std::size_t i = 0; i < asked.size(); ++i) unknown[i] = name_topics(asked[i], *image, arena);
  }
  std::vector<bool> all_topics;
  for (const AskedGroup& group : asked) all_topics.push_back(!group.topics);

  gather<GroupCoordinator::Completion>(
      asked.size(),
      [&](std::size_t i, GroupCoordinator::Answer answer) {
        const FetchOffsets one{.group = asked[i], .require_stable = request.require_stable};
        groups_.ask(one.group.group_id, context, one, std::move(answer));
      },
      [responder = std::move(responder), unknown = std::move(unknown), all_topics = std::move(all_topics),
       image, version = call.version](std::vector<GroupCoordinator::Completion>& answered) mutable {
        Arena& memory = responder.request().arena();
        auto groups = memory.array<GroupAnswer>(answered.size());
        for (std::size_t i = 0; i < groups.size(); ++i) {
          groups[i] = std::get<GroupAnswer>(answered[i].reply);
          if (version < kTopicIds || groups[i].error_code != ErrorCode::kNone) continue;
          if (all_topics[i]) groups[i].topics = with_ids(groups[i].topics, *image);
          groups[i].topics = joined(groups[i].topics, unknown[i], memory);
        }
        if (version < kManyGroups) return responder.send(only_answer(groups[0], memory));
        responder.send(OffsetFetchResponse{.groups = groups});
      });
}

void OffsetHandlers::remove(Call& call, const OffsetDeleteRequest& request, Responder responder) {
  const auto image = metadata_.image();
  TopicAnswers<OffsetDeleteResponse::OffsetDeleteResponseTopic> answers;
  OffsetDeleteRequest checked = request;
  checked.topics = call.arena.array<OffsetDeleteRequest::OffsetDeleteRequestTopic>(request.topics.size());
  std::size_t count = 0;
  for (const auto& asked : request.topics) {
    const auto refuse = [&answers, &asked](const auto& partition) {
      answers.refuse(asked.name, {}, partition.partition_index, ErrorCode::kUnknownTopicOrPartition);
    };
    const auto* topic = image->topic(asked.name);
    if (topic == nullptr) {
      std::ranges::for_each(asked.partitions, refuse);
      continue;
    }
    checked.topics[count].name = asked.name;
    checked.topics[count].partitions = existing(asked.partitions, *topic, refuse, call.arena);
    if (!checked.topics[count].partitions.empty()) ++count;
  }
  checked.topics = checked.topics.first(count);
  groups_.ask(checked.group_id, group_context(call), checked,
              [responder = std::move(responder),
               answers = std::move(answers)](GroupCoordinator::Completion&& completion) mutable {
                auto response = std::get<OffsetDeleteResponse>(completion.reply);
                if (response.error_code == ErrorCode::kNone) {
                  response.topics = answers.with(response.topics, responder.request().arena());
                }
                responder.send(response);
              });
}

}  // namespace milena::broker
