// followed_metadata: the small file of a log directory that says how far the broker that used it had followed
// the metadata log (docs/formats/followed_metadata.md). A metadata log that ends before that, or says
// something else there, is an older copy or another one's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/types.h"

namespace milena::storage {

inline constexpr std::string_view kFollowedMetadataName = ".milena-followed-metadata";

// The last record of the metadata log that was in force.
struct FollowedMetadata {
  protocol::Offset offset = -1;
  protocol::LeaderEpoch epoch = -1;  // that it was written in
  bool operator==(const FollowedMetadata&) const = default;
};

std::string encode_followed_metadata(const FollowedMetadata& followed);
// None for anything that encode_followed_metadata() does not write.
std::optional<FollowedMetadata> decode_followed_metadata(std::string_view text);

}  // namespace milena::storage
