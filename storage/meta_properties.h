// meta.properties: which cluster, node and directory a log directory belongs to
// (docs/formats/meta_properties.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "protocol/types.h"

namespace milena::storage {

inline constexpr std::string_view kMetaPropertiesName = "meta.properties";

struct MetaProperties {
  std::string cluster_id;
  protocol::BrokerId node_id = protocol::kNoBroker;
  Uuid directory_id;  // zero: the file has none, as before Kafka 3.7
  bool operator==(const MetaProperties&) const = default;
};

std::string encode_meta_properties(const MetaProperties& properties);
// None when a property is missing or malformed, or the version is not 1.
std::optional<MetaProperties> decode_meta_properties(std::string_view text);

}  // namespace milena::storage
