// TopicMetrics: the cluster, its topics and their partitions, from the metadata image and from what the
// partitions publish.
//
// Takes no partition's mutex.
#pragma once

#include <cstdint>
#include <functional>

#include "broker/metrics/counter.h"
#include "broker/metrics/registry.h"
#include "broker/metrics/topics.h"
#include "controller/image/metadata_delta.h"

namespace milena::broker {

// How many partitions have got a leader from outside of what was their ISR.
std::uint64_t unclean_elections(const controller::MetadataImage& before,
                                const controller::MetadataImage& after,
                                const controller::MetadataChanges& changes);

class TopicMetrics final : public MetricSource {
 public:
  struct Sources {
    protocol::BrokerId self;
    std::function<controller::MetadataImagePtr()> image;
    PartitionRegistry& registry;             // outlives it
    controller::ConfigMap file_config;       // what server.properties and its like set
    const SharedCounter& unclean_elections;  // outlives it
    MetricLimits limits;
  };
  explicit TopicMetrics(Sources sources) : sources_(std::move(sources)) {}

  void write(Exposition& out) override;

 private:
  struct Row;  // a partition

  std::int64_t min_isr_of(const controller::MetadataImage& image, const controller::Topic& topic) const;
  void write_cluster(Exposition& out, const ScrapedTopics& topics) const;
  void write_topics(Exposition& out, const ScrapedTopics& topics) const;
  void write_partitions(Exposition& out, const ScrapedTopics& topics) const;

  const Sources sources_;
};

}  // namespace milena::broker
