#include "broker/metrics/group_metrics.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace milena::broker {
namespace {

// A committed offset and how far it is behind.
struct Row {
  std::string_view group;
  std::string_view topic;
  std::int32_t partition;
  std::int64_t offset;
  std::int64_t lag;  // -1: unknown
};

std::vector<Row> rows_of(const GroupsStatus& status, const ScrapedTopics& topics) {
  std::vector<Row> rows;
  for (const GroupStatus& group : status.groups) {
    for (const auto& committed : group.offsets) {
      const auto* topic = topics.find(committed.topic);
      const auto* replica = topic == nullptr ? nullptr : topic->replica(PartitionId{committed.partition});
      // A record may be appended between the two looks, and the offset may be ahead for a moment.
      const std::int64_t lag =
          replica == nullptr
              ? -1
              : std::max<std::int64_t>(replica->metrics().high_watermark.get() - committed.offset, 0);
      rows.push_back({group.id, committed.topic, committed.partition, committed.offset, lag});
    }
  }
  return rows;
}

// For each group and topic the sum of a column; rows of one group and topic are neighbours.
template <class Value>
void write_sums(Exposition& out, std::string_view name, const std::vector<Row>& rows, Value value) {
  auto metric = out.metric(name);
  for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    std::int64_t sum = 0;
    for (; end < rows.size() && rows[end].group == rows[begin].group && rows[end].topic == rows[begin].topic;
         ++end) {
      sum += value(rows[end]);
    }
    metric.add({rows[begin].group, rows[begin].topic}, sum);
  }
}

}  // namespace

void GroupMetrics::write(Exposition& out) {
  const auto status = sources_.groups(
      {.groups_max = sources_.limits.groups, .offsets_max = sources_.limits.group_partitions});
  write_states(out, status);
  write_offsets(out, status);
  write_transactions(out);
}

void GroupMetrics::write_states(Exposition& out, const GroupsStatus& status) {
  out.leave_out("groups", status.groups_left_out);
  out.leave_out("group_partitions", status.offsets_left_out);
  {
    auto metric = out.metric("milena_groups");
    for (const auto& [key, count] : status.by_state) metric.add({key.first, key.second}, count);
  }
  {
    auto metric = out.metric("milena_group_rebalances_total");
    for (std::size_t i = 0; i < coordinator::kRebalanceCauses.size(); ++i) {
      metric.add({"classic", coordinator::kRebalanceCauses[i]}, status.rebalances.classic[i]);
    }
    metric.add({"consumer", "group_epoch"}, status.rebalances.consumer);
  }
  auto metric = out.metric("kafka_consumergroup_members");
  for (const GroupStatus& group : status.groups) metric.add({group.id}, group.members);
}

void GroupMetrics::write_offsets(Exposition& out, const GroupsStatus& status) const {
  const ScrapedTopics topics(sources_.image(), sources_.registry);
  const auto rows = rows_of(status, topics);
  const auto write = [&](std::string_view name, auto value) {
    auto metric = out.metric(name);
    for (const Row& row : rows) metric.add({row.group, row.topic, std::to_string(row.partition)}, value(row));
  };
  write("kafka_consumergroup_current_offset", [](const Row& row) { return row.offset; });
  write_sums(out, "kafka_consumergroup_current_offset_sum", rows, [](const Row& row) { return row.offset; });
  write("kafka_consumergroup_lag", [](const Row& row) { return row.lag; });
  write_sums(out, "kafka_consumergroup_lag_sum", rows,
             [](const Row& row) { return std::max<std::int64_t>(row.lag, 0); });
}

void GroupMetrics::write_transactions(Exposition& out) const {
  const auto status = sources_.transactions();
  out.add("milena_open_transactions", status.open);
  auto metric = out.metric("milena_transactions_total");
  metric.add({"commit"}, status.committed);
  metric.add({"abort"}, status.aborted);
}

}  // namespace milena::broker
