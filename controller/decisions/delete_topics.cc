#include "controller/decisions/delete_topics.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/records/metadata_batch.h"

namespace milena::controller {
namespace {

using Request = protocol::DeleteTopicsRequest;
using Response = protocol::DeleteTopicsResponse;
using Result = Response::DeletableTopicResult;

class TopicDeleter {
 public:
  TopicDeleter(const DecisionContext& context, const Request& request, const DeleteTopicsAccess& access)
      : context_(context), request_(request), access_(access) {}

  Outcome<Response> disabled(ErrorCode code) {
    for (const std::string_view name : request_.topic_names) answer(name, {}, refuse(code).error());
    for (const auto& topic : request_.topics) answer(topic.name, topic.topic_id, refuse(code).error());
    return finish({});
  }

  Outcome<Response> run() {
    for (const std::string_view name : request_.topic_names) add_name(name);
    for (const auto& topic : request_.topics) add(topic);
    for (const auto& [id, times] : ids_) by_id(id, times > 1);
    for (const auto& [name, times] : names_) by_name(name, times > 1);
    return finish(records());
  }

 private:
  void add(const Request::DeleteTopicState& topic) {
    const bool has_id = !topic.topic_id.is_zero();
    if (topic.name && has_id) {
      answer(topic.name, topic.topic_id,
             {ErrorCode::kInvalidRequest, "You may not specify both topic name and topic id."});
    } else if (topic.name) {
      add_name(*topic.name);
    } else if (has_id) {
      ++ids_[topic.topic_id];
    } else {
      answer(std::nullopt, {}, {ErrorCode::kInvalidRequest, "Neither topic name nor id were specified."});
    }
  }

  void add_name(std::string_view name) { ++names_[name]; }

  void by_id(const Uuid& id, bool twice) {
    if (twice) return answer(std::nullopt, id, {ErrorCode::kInvalidRequest, "Duplicate topic id."});
    const Topic* topic = context_.image.topic(id);
    if (topic == nullptr) return answer(std::nullopt, id, refuse(ErrorCode::kUnknownTopicId).error());
    if (!allows(access_.may_delete, topic->name)) {
      // The name is a secret of those who may describe the topic.
      const auto name = allows(access_.may_describe, topic->name)
                            ? std::optional<std::string_view>(context_.arena.text(topic->name))
                            : std::nullopt;
      return answer(name, id, refuse(ErrorCode::kTopicAuthorizationFailed).error());
    }
    doomed_.emplace(id, context_.arena.text(topic->name));
  }

  void by_name(std::string_view name, bool twice) {
    if (twice) return answer(name, {}, {ErrorCode::kInvalidRequest, "Duplicate topic name."});
    if (!allows(access_.may_describe, name)) {
      return answer(name, {}, refuse(ErrorCode::kTopicAuthorizationFailed).error());
    }
    const Topic* topic = context_.image.topic(name);
    if (topic == nullptr) return answer(name, {}, refuse(ErrorCode::kUnknownTopicOrPartition).error());
    if (!allows(access_.may_delete, name)) {
      return answer(name, {}, refuse(ErrorCode::kTopicAuthorizationFailed).error());
    }
    const auto given = ids_.find(topic->id);
    if (given != ids_.end()) {
      doomed_.erase(topic->id);
      return answer(
          name, topic->id,
          {ErrorCode::kInvalidRequest, "The provided topic name maps to an ID that was already supplied."});
    }
    doomed_.emplace(topic->id, name);
  }

  std::vector<MetadataRecord> records() {
    std::vector<MetadataRecord> records;
    for (const auto& [id, name] : doomed_) {
      if (records.size() == kMaxRecordsPerOperation) {
        answer(name, id,
               {ErrorCode::kPolicyViolation, "Unable to perform excessively large batch operation."});
        continue;
      }
      records.push_back({.body = protocol::RemoveTopicRecord{.topic_id = id}});
      answer(name, id, {});
    }
    return records;
  }

  void answer(std::optional<std::string_view> name, const Uuid& id, const ApiError& error) {
    results_.push_back({.name = name,
                        .topic_id = id,
                        .error_code = error.code,
                        .error_message = error.text(context_.arena)});
  }

  Outcome<Response> finish(std::vector<MetadataRecord> records) {
    const auto kept = context_.arena.array<Result>(results_.size());
    std::ranges::copy(results_, kept.begin());
    return {.response = {.responses = kept}, .records = std::move(records)};
  }

  const DecisionContext& context_;
  const Request& request_;
  const DeleteTopicsAccess& access_;
  std::map<std::string_view, int> names_;  // how often each was given
  std::map<Uuid, int> ids_;
  std::map<Uuid, std::string_view> doomed_;
  std::vector<Result> results_;
};

}  // namespace

Outcome<protocol::DeleteTopicsResponse> delete_topics(const DecisionContext& context,
                                                      const protocol::DeleteTopicsRequest& request,
                                                      int api_version, const DeleteTopicsAccess& access) {
  TopicDeleter deleter(context, request, access);
  if (context.settings.delete_topic_enable) return deleter.run();
  return deleter.disabled(api_version < 3 ? ErrorCode::kInvalidRequest : ErrorCode::kTopicDeletionDisabled);
}

}  // namespace milena::controller
