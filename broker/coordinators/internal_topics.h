// The topics that Kafka's own machinery writes to, and how they are made when they are first needed.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "broker/config/static_config.h"
#include "controller/image/metadata_image.h"
#include "protocol/create_topics.gen.h"

namespace milena::broker {

inline constexpr std::string_view kOffsetsTopic = "__consumer_offsets";
inline constexpr std::string_view kTransactionsTopic = "__transaction_state";
inline constexpr std::string_view kShareStateTopic = "__share_group_state";

bool is_internal_topic(std::string_view name);

// What to ask the controller for; none for a topic that is not internal, or not made yet by this broker. With
// fewer active brokers than the configured replication factor there are fewer replicas: a single node works
// with Kafka's defaults.
std::optional<protocol::CreateTopicsRequest::CreatableTopic> internal_topic(
    std::string_view name, const StaticConfig& settings, const controller::MetadataImage& image,
    Arena& arena);

}  // namespace milena::broker
