// The hash by which a consumer group notices that its topics changed: Kafka's, bit for bit (KIP-1101),
// because it is kept in the log. XXH3-64 over a topic's id, name, partitions and their racks; and over the
// hashes of the topics.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "coordinator/group/metadata_view.h"

namespace milena::coordinator {

// 0 for a topic that does not exist.
std::int64_t topic_hash(std::string_view topic, const MetadataView& metadata);

// `hashes`: of the topics of the group that exist, by name. 0 for none.
std::int64_t group_hash(const std::map<std::string_view, std::int64_t>& hashes);

// Topic hashes, computed once per topic and state of the metadata.
class TopicHashes {
 public:
  std::int64_t of(std::string_view topic, const MetadataView& metadata);
  void forget(std::string_view topic);

 private:
  std::map<std::string, std::int64_t, std::less<>> hashes_;
};

}  // namespace milena::coordinator
