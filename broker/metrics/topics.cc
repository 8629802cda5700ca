#include "broker/metrics/topics.h"

#include <algorithm>
#include <utility>

namespace milena::broker {

const Partition* ScrapedTopics::Entry::replica(PartitionId index) const {
  const auto at = static_cast<std::size_t>(index.value);  // a negative one becomes too large
  if (replicas == nullptr || at >= replicas->size()) return nullptr;
  const Partition* const found = (*replicas)[at].get();
  return found == nullptr || found->is_offline() ? nullptr : found;
}

ScrapedTopics::ScrapedTopics(controller::MetadataImagePtr image, PartitionRegistry& registry)
    : image_(std::move(image)) {
  for (const auto& [name, id] : image_->topic_ids) {
    if (const auto* topic = image_->topic(id)) {
      all_.push_back({.topic = topic, .replicas = registry.partitions_of(id)});
    }
  }
}

const ScrapedTopics::Entry* ScrapedTopics::find(std::string_view name) const {
  const auto by_name = [](const Entry& entry) -> std::string_view { return entry.topic->name; };
  const auto at = std::ranges::lower_bound(all_, name, {}, by_name);
  return at == all_.end() || at->topic->name != name ? nullptr : &*at;
}

}  // namespace milena::broker
