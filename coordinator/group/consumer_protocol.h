// The blobs that consumers put into JoinGroup and SyncGroup: protocol type "consumer", a version and a
// message.
//
// They come from clients, through the leader or from the log: anything may be in them. Malformed ones are an
// error, never more. A version newer than known is read as the newest known one, as clients extend the format
// at its end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "coordinator/group/metadata_view.h"
#include "coordinator/group/partitions.h"
#include "protocol/consumer_protocol_assignment.gen.h"
#include "protocol/consumer_protocol_subscription.gen.h"

namespace milena::coordinator {

inline constexpr std::string_view kConsumerProtocolType = "consumer";

// The version in front of a blob. Error: kInvalidRequest.
Result<std::int16_t> consumer_protocol_version(std::string_view blob);

// What the results point at lives in the blob and the arena. Error: kInvalidRequest.
Result<protocol::ConsumerProtocolSubscription> read_subscription(std::string_view blob, Arena& arena);
Result<protocol::ConsumerProtocolAssignment> read_assignment(std::string_view blob, Arena& arena);

// Does the subscription name the topic? Nothing if it cannot be read.
std::optional<bool> subscribes(std::string_view subscription, std::string_view topic);

// The assignment as a blob of the given version; topics that metadata does not know are left out.
std::string write_assignment(const Assignment& assignment, const MetadataView& metadata,
                             std::int16_t version);

// By topic id; topics that metadata does not know are left out.
Assignment to_assignment(const protocol::ConsumerProtocolAssignment& message, const MetadataView& metadata);

}  // namespace milena::coordinator
