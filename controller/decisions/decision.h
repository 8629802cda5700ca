// What every decision of the active controller gets and gives.
//
// A decision is a pure function: request in; response and records out. It never changes the image: its
// records do, once they are in the log (see controller/controller.h). Responses and records point into the
// arena and the request, never into the image, which may be gone by the time the response leaves.
// Limits are Kafka's: at most 10,000 records, all of them in one batch, per request.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/config_def.h"
#include "base/rng.h"
#include "controller/config/topic_configs.h"
#include "controller/image/metadata_image.h"
#include "controller/records/metadata_record.h"
#include "protocol/error_code.h"

namespace milena::controller {

// Why a request, or one item of it, is refused: what the client is told.
struct ApiError {
  ErrorCode code = ErrorCode::kNone;
  std::optional<std::string> message{};

  // In the form that responses have it.
  std::optional<std::string_view> text(Arena& arena) const {
    return message ? std::optional(arena.text(*message)) : std::nullopt;
  }
};

template <class T>
using Decided = std::expected<T, ApiError>;

inline std::unexpected<ApiError> refuse(ErrorCode code, std::string message) {
  return std::unexpected(ApiError{code, std::move(message)});
}
// With the code's own sentence.
inline std::unexpected<ApiError> refuse(ErrorCode code) {
  return refuse(code, std::string(error_message(code)));
}

template <class T>
struct Outcome {
  T response;
  std::vector<MetadataRecord> records{};  // empty: nothing changes, answer at once
};

// What is to become of settings, by name; nullopt deletes.
using ConfigEdits = std::map<std::string, std::optional<std::string>, std::less<>>;

// How this node is set up; constant while it runs.
struct ControllerSettings {
  BrokerId node_id = 0;
  std::string cluster_id{};
  FeatureRanges supported_features{};  // that this node understands, metadata.version among them
  ConfigMap static_config{};           // what server.properties sets
  std::int32_t default_num_partitions = 1;
  std::int16_t default_replication_factor = 1;
  // More replicas than there are brokers are as many as there are, instead of INVALID_REPLICATION_FACTOR.
  bool cap_replication_factor = false;
  bool delete_topic_enable = true;
  std::int64_t broker_session_timeout_ms = 9'000;

  // Keys of resources other than topics, whose tables live elsewhere; nullptr for an unknown one.
  std::function<const ConfigKey*(ConfigResourceType, std::string_view name)> find_config{};
  // Checks what such a resource would hold after some edits; INVALID_REQUEST for types that this node does
  // not configure.
  std::function<Decided<void>(const ConfigResource&, const ConfigMap& result, const ConfigEdits&)>
      check_config{};
};

struct DecisionContext {
  const MetadataImage& image;
  const ControllerSettings& settings;
  Rng& rng;  // for ids and for spreading replicas
  Arena& arena;
};

// Whether the principal behind a request may do something to a topic. Empty: everything is allowed.
using TopicPredicate = std::function<bool(std::string_view topic)>;
inline bool allows(const TopicPredicate& predicate, std::string_view topic) {
  return !predicate || predicate(topic);
}

// The layers of configuration that a topic with `overrides` has on this cluster. Views of all of them.
ConfigLayers topic_layers(const DecisionContext& context, const ConfigMap* overrides);

bool elr_enabled(const MetadataImage& image);

inline constexpr std::string_view kElrFeature = "eligible.leader.replicas.version";
inline constexpr std::string_view kMinInsyncReplicas = "min.insync.replicas";

}  // namespace milena::controller
