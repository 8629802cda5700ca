#include "broker/metrics/topic_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "controller/config/topic_configs.h"

namespace milena::broker {

using controller::MetadataImage;

struct TopicMetrics::Row {
  const std::string* topic;
  std::string index;
  const controller::Partition* state;
  const Partition* replica;  // null: none that is served here
  protocol::BrokerId self;
  std::int64_t min_isr;  // at most the number of replicas

  bool is_led_here() const { return replica != nullptr && state->leader() == self; }
  double isr() const { return static_cast<double>(state->isr().size()); }
};

namespace {

struct TopicCounter {
  std::string_view name;
  std::uint64_t (*read)(const PartitionMetrics& partition);
};

constexpr std::array kTopicCounters{
    TopicCounter{"kafka_server_brokertopicmetrics_messagesin_total",
                 [](const PartitionMetrics& p) { return p.messages_in.get(); }},
    TopicCounter{"kafka_server_brokertopicmetrics_bytesin_total",
                 [](const PartitionMetrics& p) { return p.bytes_in.get(); }},
    TopicCounter{"kafka_server_brokertopicmetrics_bytesout_total",
                 [](const PartitionMetrics& p) { return p.bytes_out.get(); }},
    TopicCounter{"kafka_server_brokertopicmetrics_totalproducerequests_total",
                 [](const PartitionMetrics& p) { return p.produces.get(); }},
    TopicCounter{"kafka_server_brokertopicmetrics_failedproducerequests_total",
                 [](const PartitionMetrics& p) { return p.failed_produces.get(); }},
    TopicCounter{"kafka_server_brokertopicmetrics_totalfetchrequests_total",
                 [](const PartitionMetrics& p) { return p.fetches.get(); }},
    TopicCounter{"kafka_server_brokertopicmetrics_failedfetchrequests_total",
                 [](const PartitionMetrics& p) { return p.failed_fetches.get(); }},
};

double flag(bool value) { return value ? 1 : 0; }

// One pass over all partitions of the cluster.
struct ClusterCounts {
  std::size_t led = 0, here = 0, under_replicated = 0, offline_replicas = 0, leaderless = 0;
};

ClusterCounts count(const ScrapedTopics& topics, protocol::BrokerId self) {
  ClusterCounts counts;
  for (const auto& entry : topics.all()) {
    for (const auto& [index, state] : entry.topic->partitions) {
      const bool is_led = state->leader() == self;
      counts.led += is_led ? 1 : 0;
      counts.under_replicated += is_led && state->isr().size() < state->replicas().size() ? 1 : 0;
      counts.leaderless += state->has_leader() ? 0 : 1;
      if (!state->is_replica(self)) continue;
      ++counts.here;
      counts.offline_replicas += entry.replica(index) == nullptr ? 1 : 0;
    }
  }
  return counts;
}

}  // namespace

std::uint64_t unclean_elections(const MetadataImage& before, const MetadataImage& after,
                                const controller::MetadataChanges& changes) {
  std::uint64_t count = 0;
  for (const auto& [id, partitions] : changes.topics) {
    const auto* old_topic = before.topic(id);
    const auto* new_topic = after.topic(id);
    if (old_topic == nullptr || new_topic == nullptr) continue;
    for (const PartitionId index : partitions) {
      const auto* was = old_topic->partition(index);
      const auto* is = new_topic->partition(index);
      if (was == nullptr || is == nullptr || !is->has_leader() || is->leader() == was->leader()) continue;
      const bool is_eligible = std::ranges::find(was->elr(), is->leader()) != was->elr().end();
      count += was->in_isr(is->leader()) || is_eligible ? 0 : 1;
    }
  }
  return count;
}

void TopicMetrics::write(Exposition& out) {
  const ScrapedTopics topics(sources_.image(), sources_.registry);
  write_cluster(out, topics);
  write_topics(out, topics);
  write_partitions(out, topics);
}

void TopicMetrics::write_cluster(Exposition& out, const ScrapedTopics& topics) const {
  std::size_t active = 0;
  {
    auto info = out.metric("kafka_broker_info");
    for (const auto& [id, broker] : topics.image().brokers) {
      active += broker->fenced ? 0 : 1;
      if (broker->endpoints.empty()) continue;
      const auto& endpoint = broker->endpoints.front();
      info.add({std::to_string(id.value), fmt::format("{}:{}", endpoint.host, endpoint.port)}, 1);
    }
  }
  out.add("kafka_brokers", active);
  const ClusterCounts counts = count(topics, sources_.self);
  out.add("kafka_server_replicamanager_leadercount", counts.led);
  out.add("kafka_server_replicamanager_partitioncount", counts.here);
  out.add("kafka_server_replicamanager_underreplicatedpartitions", counts.under_replicated);
  out.add("kafka_server_replicamanager_offlinereplicacount", counts.offline_replicas);
  out.add("kafka_controller_kafkacontroller_activecontrollercount", 1);
  out.add("kafka_controller_kafkacontroller_offlinepartitionscount", counts.leaderless);
  out.add("kafka_controller_controllerstats_uncleanleaderelections_total", sources_.unclean_elections.get());
}

void TopicMetrics::write_topics(Exposition& out, const ScrapedTopics& topics) const {
  const std::span shown(topics.all().data(), std::min(topics.all().size(), sources_.limits.topics));
  out.leave_out("topics", topics.all().size() - shown.size());
  {
    auto metric = out.metric("kafka_topic_partitions");
    for (const auto& entry : shown) metric.add({entry.topic->name}, entry.topic->partitions.size());
  }
  for (const TopicCounter& counter : kTopicCounters) {
    auto metric = out.metric(counter.name);
    for (const auto& entry : shown) {
      if (entry.replicas == nullptr) continue;
      std::uint64_t sum = 0;
      for (const auto& replica : *entry.replicas) {
        if (replica != nullptr) sum += counter.read(replica->metrics());
      }
      metric.add({entry.topic->name}, sum);
    }
  }
}

std::int64_t TopicMetrics::min_isr_of(const MetadataImage& image, const controller::Topic& topic) const {
  using controller::ConfigResourceType;
  static const auto* const kKey = controller::find_topic_config("min.insync.replicas");
  const controller::ConfigLayers layers{
      .topic = image.config(ConfigResourceType::kTopic, topic.name),
      .broker = image.config(ConfigResourceType::kBroker, std::to_string(sources_.self.value)),
      .cluster = image.config(ConfigResourceType::kBroker, ""),
      .file = &sources_.file_config};
  return std::get<std::int64_t>(controller::effective_topic_value(*kKey, layers));
}

void TopicMetrics::write_partitions(Exposition& out, const ScrapedTopics& topics) const {
  std::vector<Row> rows;
  std::size_t left_out = 0;
  for (const auto& entry : topics.all()) {
    const std::int64_t min_isr = min_isr_of(topics.image(), *entry.topic);
    for (const auto& [index, state] : entry.topic->partitions) {
      if (rows.size() == sources_.limits.partitions) {
        ++left_out;
        continue;
      }
      rows.push_back({.topic = &entry.topic->name,
                      .index = std::to_string(index.value),
                      .state = &*state,
                      .replica = entry.replica(index),
                      .self = sources_.self,
                      .min_isr = std::min(min_isr, static_cast<std::int64_t>(state->replicas().size()))});
    }
  }
  out.leave_out("partitions", left_out);
  const auto write = [&](std::string_view name, std::optional<double> (*read)(const Row&)) {
    auto metric = out.metric(name);
    for (const Row& row : rows) {
      if (const auto value = read(row)) metric.add({*row.topic, row.index}, *value);
    }
  };
  using Value = std::optional<double>;
  write("kafka_topic_partition_current_offset", [](const Row& row) -> Value {
    if (row.replica == nullptr) return {};
    return static_cast<double>(row.replica->metrics().high_watermark.get());
  });
  write("kafka_topic_partition_oldest_offset", [](const Row& row) -> Value {
    if (row.replica == nullptr) return {};
    return static_cast<double>(row.replica->metrics().log_start_offset.get());
  });
  write("kafka_topic_partition_in_sync_replica", [](const Row& row) -> Value { return row.isr(); });
  write("kafka_topic_partition_leader", [](const Row& row) -> Value { return row.state->leader().value; });
  write("kafka_topic_partition_leader_is_preferred", [](const Row& row) -> Value {
    const auto replicas = row.state->replicas();
    return flag(!replicas.empty() && replicas.front() == row.state->leader());
  });
  write("kafka_topic_partition_replicas",
        [](const Row& row) -> Value { return static_cast<double>(row.state->replicas().size()); });
  write("kafka_topic_partition_under_replicated_partition",
        [](const Row& row) -> Value { return flag(row.state->isr().size() < row.state->replicas().size()); });
  write("kafka_cluster_partition_atminisr", [](const Row& row) -> Value {
    return flag(row.is_led_here() && row.isr() == static_cast<double>(row.min_isr));
  });
  write("kafka_cluster_partition_underminisr", [](const Row& row) -> Value {
    return flag(row.is_led_here() && row.isr() < static_cast<double>(row.min_isr));
  });
  write("kafka_log_log_size", [](const Row& row) -> Value {
    if (row.replica == nullptr) return {};
    return static_cast<double>(row.replica->metrics().log_bytes.get());
  });
}

}  // namespace milena::broker
