// The topics of the cluster with the partitions that this node has of them, as they are at one scrape.
//
// Any thread; holds the image and the partitions for as long as it lives.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "broker/partition/partition_registry.h"
#include "controller/image/metadata_image.h"

namespace milena::broker {

class ScrapedTopics {
 public:
  struct Entry {
    const controller::Topic* topic = nullptr;
    std::shared_ptr<const TopicPartitions> replicas;  // may be null or shorter than the topic
    // Null when this node has no replica that it can serve.
    const Partition* replica(PartitionId index) const;
  };

  ScrapedTopics(controller::MetadataImagePtr image, PartitionRegistry& registry);

  const controller::MetadataImage& image() const { return *image_; }
  // By name.
  const std::vector<Entry>& all() const { return all_; }
  const Entry* find(std::string_view name) const;

 private:
  const controller::MetadataImagePtr image_;
  std::vector<Entry> all_;
};

}  // namespace milena::broker
