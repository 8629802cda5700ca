// docs/METRICS.md is the table of metrics, written by this test: MILENA_REWRITE_DOCS=1 makes it anew.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "broker/metrics/client_software.h"
#include "broker/metrics/metric_table.h"

namespace milena::broker {
namespace {

std::string page() {
  constexpr MetricLimits kLimits;
  std::string text = fmt::format(
      R"(# Metrics

What `GET /metrics` tells on `milena.metrics.listener`, in Prometheus' text format 0.0.4. `metrics_test` writes this page
from the table that the broker uses (`MILENA_REWRITE_DOCS=1`). How to scrape, and the health checks: `OPERATIONS.md`.

The names up to `kafka_consumergroup_members` are those of kafka_exporter, the other `kafka_*` those that the JMX exporter's
usual rules make of Apache Kafka's MBeans, `process_*` those of every Prometheus client library. A metric by topic has no
sample over all topics: sum it up. Counters begin at zero with the process, or where it says so with the loading of a
coordinator's log. A number is as old as the scrape; numbers of one scrape need not belong to one moment.

**Limits.** A scrape has at most {} partitions in each metric by partition, {} topics, {} groups and {} pairs of group and
partition; what is beyond is left out, in order of names, and counted in `milena_metrics_left_out`. Clients' software: {}
pairs of name and version, the others are one, `other`; names are cut off after {} bytes. Labels `request` and `error` are
Kafka's APIs and error codes, `listener`, `loop`, `state`, `protocol`, `cause`, `result` and `what` a handful.

**Missing** metrics: those marked * are not in a scrape as long as there is nothing to tell (no topic, no group, no such
request or error so far) or the system does not say it (`/proc` is Linux').

| name | type | labels | meaning | source |
|---|---|---|---|---|
)",
      kLimits.partitions, kLimits.topics, kLimits.groups, kLimits.group_partitions, kLimits.client_software,
      ClientSoftware::kTextMax);
  for (const MetricInfo& metric : metric_table()) {
    std::string labels;
    for (const auto label : label_names(metric))
      labels += fmt::format("{}`{}`", labels.empty() ? "" : ", ", label);
    text += fmt::format("| `{}`{} | {} | {} | {} | {} |\n", metric.name, metric.may_be_absent ? " *" : "",
                        to_string(metric.type), labels, metric.meaning, metric.source);
  }
  return text;
}

TEST(MetricsPage, IsTheTableOfMetrics) {
  const std::string path = "docs/METRICS.md";
  if (std::getenv("MILENA_REWRITE_DOCS") != nullptr) {  // NOLINT(concurrency-mt-unsafe): nobody sets one
    std::ofstream(path) << page();
    return;
  }
  std::ifstream file(path);
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(file)), {}), page());
}

}  // namespace
}  // namespace milena::broker
