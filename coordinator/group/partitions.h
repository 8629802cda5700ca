// Sets of partitions by topic id: what a member should own (Assignment) and what it owns (OwnedPartitions).
//
// Always: topics ascending and never empty; partitions ascending, each once. So equality is set equality, and
// whatever is written from one of these is written in one order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/uuid.h"

namespace milena::coordinator {

using Assignment = std::map<Uuid, std::vector<std::int32_t>>;

// A partition that a member owns or still has to give up, and the member epoch at which it got it. A commit
// from an older epoch of the same member is refused for it (KIP-1251).
struct OwnedPartition {
  std::int32_t partition = 0;
  std::int32_t epoch = 0;

  bool operator==(const OwnedPartition&) const = default;
};

using OwnedPartitions = std::map<Uuid, std::vector<OwnedPartition>>;

inline void sort_unique(std::vector<std::int32_t>& partitions) {
  std::ranges::sort(partitions);
  partitions.erase(std::ranges::unique(partitions).begin(), partitions.end());
}

inline bool contains(const std::vector<std::int32_t>& partitions, std::int32_t partition) {
  return std::ranges::binary_search(partitions, partition);
}

inline const OwnedPartition* find(const OwnedPartitions& owned, const Uuid& topic_id,
                                  std::int32_t partition) {
  const auto topic = owned.find(topic_id);
  if (topic == owned.end()) return nullptr;
  const auto at = std::ranges::lower_bound(topic->second, partition, {}, &OwnedPartition::partition);
  return at != topic->second.end() && at->partition == partition ? &*at : nullptr;
}

inline std::size_t count(const Assignment& assignment) {
  std::size_t n = 0;
  for (const auto& [topic, partitions] : assignment) n += partitions.size();
  return n;
}

}  // namespace milena::coordinator
