// The table of metrics: every name that a scrape can contain. docs/METRICS.md is printed from it.
//
// Constant. Names that dashboards know come first: those of kafka_exporter, those of the JMX exporter's usual
// rules over Apache Kafka's MBeans, those of every Prometheus client library; then ours, milena_*.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace milena::broker {

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram, kSummary };

std::string_view to_string(MetricType type);

struct MetricInfo {
  std::string_view name;
  MetricType type = MetricType::kGauge;
  std::string_view labels;   // comma-separated, in the order in which samples give them
  std::string_view meaning;  // HELP
  std::string_view source;   // where the number comes from
  // Not in every scrape: it needs a topic, a group, a client that has failed, or Linux.
  bool may_be_absent = false;
};

// In the order of a scrape.
std::span<const MetricInfo> metric_table();
// Null when there is no such metric.
const MetricInfo* find_metric(std::string_view name);
std::vector<std::string_view> label_names(const MetricInfo& metric);

// How many label sets a scrape may contain. What is beyond is left out and counted in
// milena_metrics_left_out.
struct MetricLimits {
  std::size_t partitions = 10'000;        // of each metric by partition
  std::size_t topics = 5'000;             // of each metric by topic
  std::size_t groups = 2'000;             // of each metric by group
  std::size_t group_partitions = 20'000;  // of each metric by group and partition
  std::size_t client_software = 64;       // pairs of name and version; the others are counted as "other"
};

}  // namespace milena::broker
