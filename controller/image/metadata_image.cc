#include "controller/image/metadata_image.h"

#include <algorithm>

namespace milena::controller {
namespace {

template <class Map, class Key>
auto find_shared(const Map& map, const Key& key) -> decltype(&**map.find(key)) {
  const auto* found = map.find(key);
  return found != nullptr ? &**found : nullptr;
}

}  // namespace

// A broker whose registration lists no directories is older than KIP-858 and counts as having every one.
bool BrokerRegistration::has_online_dir(const Uuid& dir) const {
  if (dir == kUnassignedDirectory || dir == kMigratingDirectory) return true;
  if (dir == kLostDirectory) return false;
  return log_dirs.empty() || std::ranges::find(log_dirs, dir) != log_dirs.end();
}

bool BrokerRegistration::has_uncordoned_dirs() const {
  if (!cordoned_log_dirs || log_dirs.empty()) return true;
  return std::ranges::any_of(log_dirs, [&](const Uuid& dir) {
    return std::ranges::find(*cordoned_log_dirs, dir) == cordoned_log_dirs->end();
  });
}

const Partition* Topic::partition(PartitionId index) const { return find_shared(partitions, index); }

FeatureLevel MetadataImage::feature(std::string_view name) const {
  const auto at = features.find(name);
  return at == features.end() ? FeatureLevel{0} : at->second;
}

const BrokerRegistration* MetadataImage::broker(BrokerId id) const { return find_shared(brokers, id); }

const Topic* MetadataImage::topic(const Uuid& id) const { return find_shared(topics, id); }

const Topic* MetadataImage::topic(std::string_view name) const {
  const Uuid* id = topic_ids.find(name);
  return id != nullptr ? topic(*id) : nullptr;
}

const ConfigMap* MetadataImage::config(ConfigResourceType type, std::string_view name) const {
  return find_shared(configs, ConfigResourceView{type, name});
}

}  // namespace milena::controller
