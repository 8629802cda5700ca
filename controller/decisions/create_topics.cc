#include "controller/decisions/create_topics.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "controller/decisions/config_changes.h"
#include "controller/decisions/new_partitions.h"
#include "controller/records/metadata_batch.h"

namespace milena::controller {
namespace {

using Request = protocol::CreateTopicsRequest;
using Response = protocol::CreateTopicsResponse;
using Result = Response::CreatableTopicResult;

constexpr std::int64_t kMaxPartitionsPerRequest = 10'000;

// Replicas and initial ISR of a topic's partitions, by index.
struct Layout {
  Assignments replicas{};
  Assignments isrs{};
};

class TopicCreator {
 public:
  TopicCreator(const DecisionContext& context, const TopicNameIndex& names, const Request& request,
               const CreateTopicsAccess& access)
      : context_(context), names_(names), request_(request), access_(access) {}

  Outcome<Response> run() {
    if (too_many_partitions()) return whole_request("Excessively large number of partitions per request.");
    find_duplicates();
    const std::span<Result> results = context_.arena.array<Result>(request_.topics.size() - repeated_);
    std::size_t next = 0;
    for (const auto& topic : request_.topics) {
      if (unanswered_.erase(topic.name) == 0) continue;
      const std::size_t records_before = records_.size();
      auto created = create(topic);
      if (records_.size() > kMaxRecordsPerOperation) {
        return whole_request("Unable to perform excessively large batch operation.");
      }
      if (!created) records_.resize(records_before);
      results[next++] = created ? *created : failed(topic.name, created.error());
    }
    if (request_.validate_only) records_.clear();
    return {.response = {.topics = results}, .records = std::move(records_)};
  }

 private:
  // A name that occurs twice is refused once.
  void find_duplicates() {
    for (const auto& topic : request_.topics) {
      if (unanswered_.insert(topic.name).second) continue;
      duplicates_.insert(topic.name);
      ++repeated_;
    }
  }

  bool too_many_partitions() const {
    std::int64_t total = 0;
    for (const auto& topic : request_.topics) {
      if (!topic.assignments.empty()) {
        total += static_cast<std::int64_t>(topic.assignments.size());
      } else if (topic.num_partitions == -1) {
        total += context_.settings.default_num_partitions;
      } else if (topic.num_partitions > 0) {
        total += topic.num_partitions;
      }
    }
    return total > kMaxPartitionsPerRequest;
  }

  Outcome<Response> whole_request(std::string_view why) {
    const std::span<Result> results = context_.arena.array<Result>(request_.topics.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      results[i] = failed(request_.topics[i].name, {ErrorCode::kPolicyViolation, std::string(why)});
    }
    return {.response = {.topics = results}};
  }

  Result failed(std::string_view name, const ApiError& error) {
    return {.name = name,
            .error_code = error.code,
            .error_message = text_of(error),
            .configs = std::span<Result::CreatableTopicConfigs>{}};
  }

  // The topics of a large request that fail, fail alike: they share one text.
  std::optional<std::string_view> text_of(const ApiError& error) {
    if (!error.message) return std::nullopt;
    if (*error.message != last_text_) last_text_ = context_.arena.text(*error.message);
    return last_text_;
  }

  Decided<Result> create(const Request::CreatableTopic& topic) {
    MILENA_CHECK(check_name(topic.name));
    MILENA_TRY(const ConfigEdits edits, requested_configs(topic));
    MILENA_TRY(std::vector<MetadataRecord> configs,
               config_records(context_, {ConfigResourceType::kTopic, std::string(topic.name)}, {}, edits));
    append_elr_resets(context_, configs);
    MILENA_TRY(const Layout layout, lay_out(topic));

    const Uuid id = Uuid::random(context_.rng);
    records_.push_back({.body = protocol::TopicRecord{.name = topic.name, .topic_id = id}});
    records_.insert(records_.end(), configs.begin(), configs.end());
    for (std::size_t i = 0; i < layout.replicas.size() && records_.size() <= kMaxRecordsPerOperation; ++i) {
      records_.push_back(
          new_partition(context_, id, static_cast<std::int32_t>(i), layout.replicas[i], layout.isrs[i]));
    }
    created_.add(topic.name);
    return succeeded(topic.name, id, layout, edits);
  }

  Decided<void> check_name(std::string_view name) {
    if (duplicates_.contains(name)) return refuse(ErrorCode::kInvalidRequest, "Duplicate topic name.");
    if (name == kClusterMetadataTopic) {
      return refuse(ErrorCode::kInvalidRequest,
                    fmt::format("Creation of internal topic {} is prohibited.", kClusterMetadataTopic));
    }
    if (!allows(access_.may_create, name)) {
      return refuse(ErrorCode::kTopicAuthorizationFailed, "Authorization failed.");
    }
    if (context_.image.topic_ids.contains(name)) {
      return refuse(ErrorCode::kTopicAlreadyExists, fmt::format("Topic '{}' already exists.", name));
    }
    if (auto complaint = topic_name_error(name)) {
      return refuse(ErrorCode::kInvalidTopicException, *std::move(complaint));
    }
    const std::string* other = names_.colliding(name);
    if (other == nullptr) other = created_.colliding(name);
    if (other != nullptr) {
      return refuse(ErrorCode::kInvalidTopicException,
                    fmt::format("Topic '{}' collides with existing topic: {}", name, *other));
    }
    return {};
  }

  static Decided<ConfigEdits> requested_configs(const Request::CreatableTopic& topic) {
    ConfigEdits edits;
    std::vector<std::string_view> nulls;
    for (const auto& config : topic.configs) {
      if (config.value) {
        edits.insert_or_assign(std::string(config.name), std::string(*config.value));
      } else {
        nulls.push_back(config.name);
      }
    }
    if (!nulls.empty()) {
      return refuse(ErrorCode::kInvalidConfig,
                    fmt::format("Null value not supported for topic configs: {}", fmt::join(nulls, ",")));
    }
    return edits;
  }

  Decided<Layout> lay_out(const Request::CreatableTopic& topic) const {
    if (!topic.assignments.empty()) return assigned_by_hand(topic);
    if (topic.replication_factor < -1 || topic.replication_factor == 0) {
      return refuse(ErrorCode::kInvalidReplicationFactor,
                    "Replication factor must be larger than 0, or -1 to use the default value.");
    }
    if (topic.num_partitions < -1 || topic.num_partitions == 0) {
      return refuse(ErrorCode::kInvalidPartitions,
                    "Number of partitions was set to an invalid non-positive value.");
    }
    const std::int32_t count =
        topic.num_partitions == -1 ? context_.settings.default_num_partitions : topic.num_partitions;
    const std::int16_t factor = topic.replication_factor == -1 ? context_.settings.default_replication_factor
                                                               : topic.replication_factor;
    const auto cannot = [&](std::string_view why) {
      return refuse(ErrorCode::kInvalidReplicationFactor,
                    fmt::format("Unable to replicate the partition {} time(s): {}", factor, why));
    };
    auto placed = place_partitions(context_, count, factor);
    if (!placed) return cannot(placed.error().message.value_or(""));
    Layout layout{.replicas = *std::move(placed)};
    for (const auto& replicas : layout.replicas) {
      layout.isrs.push_back(active_replicas(context_.image, replicas));
      if (layout.isrs.back().empty())
        return cannot("All brokers are currently fenced or in controlled shutdown.");
    }
    return layout;
  }

  Decided<Layout> assigned_by_hand(const Request::CreatableTopic& topic) const {
    if (topic.replication_factor != -1) {
      return refuse(ErrorCode::kInvalidRequest,
                    "A manual partition assignment was specified, but replication factor was not set to -1.");
    }
    if (topic.num_partitions != -1) {
      return refuse(ErrorCode::kInvalidRequest,
                    "A manual partition assignment was specified, but numPartitions was not set to -1.");
    }
    std::map<PartitionId, std::span<const BrokerId>> by_index;
    std::optional<std::size_t> factor;
    for (const auto& assignment : topic.assignments) {
      const std::int32_t index = assignment.partition_index.value;
      if (by_index.contains(index)) {
        return refuse(ErrorCode::kInvalidReplicaAssignment,
                      fmt::format("Found multiple manual partition assignments for partition {}", index));
      }
      MILENA_CHECK(check_assignment(context_.image, assignment.broker_ids, factor));
      factor = assignment.broker_ids.size();
      if (active_replicas(context_.image, assignment.broker_ids).empty()) {
        return refuse(
            ErrorCode::kInvalidReplicaAssignment,
            fmt::format(
                "All brokers specified in the manual partition assignment for partition {} are fenced "
                "or in controlled shutdown.",
                index));
      }
      by_index.emplace(index, assignment.broker_ids);
    }
    Layout layout;
    for (const auto& [index, replicas] : by_index) {
      if (index != static_cast<std::int32_t>(layout.replicas.size())) {
        return refuse(ErrorCode::kInvalidReplicaAssignment,
                      "partitions should be a consecutive 0-based integer sequence");
      }
      layout.replicas.emplace_back(replicas.begin(), replicas.end());
      layout.isrs.push_back(active_replicas(context_.image, replicas));
    }
    return layout;
  }

  Result succeeded(std::string_view name, const Uuid& id, const Layout& layout, const ConfigEdits& edits) {
    Result result{.name = name, .topic_id = id, .configs = std::span<Result::CreatableTopicConfigs>{}};
    if (!allows(access_.may_describe_configs, name)) {
      result.topic_config_error_code = ErrorCode::kTopicAuthorizationFailed;
      return result;
    }
    result.num_partitions = static_cast<std::int32_t>(layout.replicas.size());
    result.replication_factor = static_cast<std::int16_t>(layout.replicas[0].size());
    result.configs = effective_configs(edits);
    return result;
  }

  std::span<Result::CreatableTopicConfigs> effective_configs(const ConfigEdits& edits) {
    ConfigMap overrides;
    for (const auto& [name, value] : edits) overrides.emplace(name, value.value_or(""));
    const ConfigLayers layers = topic_layers(context_, &overrides);
    std::vector<Result::CreatableTopicConfigs> configs;
    for (const TopicConfigKey& key : topic_config_keys()) {
      if (key.internal && !overrides.contains(key.name)) continue;
      const EffectiveConfig effective = effective_topic_config(key, layers);
      auto& config = configs.emplace_back();
      config.name = key.name;
      if (effective.value && !key.is_sensitive()) config.value = context_.arena.text(*effective.value);
      config.config_source = static_cast<std::int8_t>(effective.source);
      config.is_sensitive = key.is_sensitive();
    }
    const auto kept = context_.arena.array<Result::CreatableTopicConfigs>(configs.size());
    std::ranges::copy(configs, kept.begin());
    return kept;
  }

  const DecisionContext& context_;
  const TopicNameIndex& names_;
  const Request& request_;
  const CreateTopicsAccess& access_;
  std::set<std::string_view> unanswered_;
  std::set<std::string_view> duplicates_;
  std::size_t repeated_ = 0;  // occurrences beyond each name's first
  TopicNameIndex created_;    // by this request
  std::string_view last_text_;
  std::vector<MetadataRecord> records_;
};

}  // namespace

Outcome<protocol::CreateTopicsResponse> create_topics(const DecisionContext& context,
                                                      const TopicNameIndex& names,
                                                      const protocol::CreateTopicsRequest& request,
                                                      const CreateTopicsAccess& access) {
  return TopicCreator(context, names, request, access).run();
}

}  // namespace milena::controller
