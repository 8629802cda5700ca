#include "broker/metrics/metric_table.h"

#include <algorithm>
#include <array>

namespace milena::broker {
namespace {

using enum MetricType;

constexpr std::string_view kImage = "metadata image";
constexpr std::string_view kPartition = "partition";
constexpr std::string_view kCoordinator = "group coordinator";

constexpr MetricInfo sometimes(MetricInfo metric) {
  metric.may_be_absent = true;
  return metric;
}

constexpr std::array kTable{
    // kafka_exporter
    MetricInfo{"kafka_brokers", kGauge, "", "Brokers of the cluster that are not fenced", kImage},
    MetricInfo{"kafka_broker_info", kGauge, "id,address", "1 for each broker, by its first listener", kImage},
    sometimes({"kafka_topic_partitions", kGauge, "topic", "Partitions of the topic", kImage}),
    sometimes({"kafka_topic_partition_current_offset", kGauge, "topic,partition",
               "High watermark: the offset after the last record that consumers can read", kPartition}),
    sometimes({"kafka_topic_partition_oldest_offset", kGauge, "topic,partition",
               "Offset of the first record that is kept", kPartition}),
    sometimes(
        {"kafka_topic_partition_in_sync_replica", kGauge, "topic,partition", "Replicas in sync", kImage}),
    sometimes({"kafka_topic_partition_leader", kGauge, "topic,partition",
               "Broker id of the leader, -1 while there is none", kImage}),
    sometimes({"kafka_topic_partition_leader_is_preferred", kGauge, "topic,partition",
               "1 if the first replica leads", kImage}),
    sometimes({"kafka_topic_partition_replicas", kGauge, "topic,partition", "Replicas", kImage}),
    sometimes({"kafka_topic_partition_under_replicated_partition", kGauge, "topic,partition",
               "1 if a replica is not in sync", kImage}),
    sometimes({"kafka_consumergroup_current_offset", kGauge, "consumergroup,topic,partition",
               "Offset that the group has committed", kCoordinator}),
    sometimes({"kafka_consumergroup_current_offset_sum", kGauge, "consumergroup,topic",
               "Offsets that the group has committed, over the partitions of the topic", kCoordinator}),
    sometimes(
        {"kafka_consumergroup_lag", kGauge, "consumergroup,topic,partition",
         "Records between the committed offset and the high watermark; -1 when the partition is not here",
         "group coordinator, partition"}),
    sometimes({"kafka_consumergroup_lag_sum", kGauge, "consumergroup,topic",
               "Records that the group has not consumed, over the partitions of the topic that are here",
               "group coordinator, partition"}),
    sometimes({"kafka_consumergroup_members", kGauge, "consumergroup", "Members of the group", kCoordinator}),
    // The JMX exporter
    sometimes({"kafka_server_brokertopicmetrics_messagesin_total", kCounter, "topic", "Records appended",
               kPartition}),
    sometimes({"kafka_server_brokertopicmetrics_bytesin_total", kCounter, "topic",
               "Bytes of record batches appended", kPartition}),
    sometimes({"kafka_server_brokertopicmetrics_bytesout_total", kCounter, "topic",
               "Bytes of record batches in answers to Fetch", "Fetch handler"}),
    sometimes({"kafka_server_brokertopicmetrics_totalproducerequests_total", kCounter, "topic",
               "Batches in Produce requests, one for each partition that a request names",
               "Produce handler"}),
    sometimes({"kafka_server_brokertopicmetrics_failedproducerequests_total", kCounter, "topic",
               "Those that were refused", "Produce handler"}),
    sometimes(
        {"kafka_server_brokertopicmetrics_totalfetchrequests_total", kCounter, "topic",
         "Reads of partitions for Fetch requests; one that waits reads again when there is something new",
         kPartition}),
    sometimes({"kafka_server_brokertopicmetrics_failedfetchrequests_total", kCounter, "topic",
               "Those that ended in an error", kPartition}),
    MetricInfo{"kafka_server_replicamanager_leadercount", kGauge, "", "Partitions that this broker leads",
               kImage},
    MetricInfo{"kafka_server_replicamanager_partitioncount", kGauge, "",
               "Partitions of which this broker has a replica", kImage},
    MetricInfo{"kafka_server_replicamanager_underreplicatedpartitions", kGauge, "",
               "Partitions led by this broker of which a replica is not in sync", kImage},
    MetricInfo{
        "kafka_server_replicamanager_offlinereplicacount", kGauge, "",
        "Replicas of this broker that it cannot serve, because their log directory or their log has failed",
        kPartition},
    MetricInfo{"kafka_log_logmanager_offlinelogdirectorycount", kGauge, "",
               "Log directories that are configured and cannot be used", "log directories"},
    MetricInfo{"kafka_controller_kafkacontroller_activecontrollercount", kGauge, "",
               "1 if this node is the active controller; a single node always is", "controller"},
    MetricInfo{"kafka_controller_kafkacontroller_offlinepartitionscount", kGauge, "",
               "Partitions of the cluster without a leader", kImage},
    MetricInfo{"kafka_controller_controllerstats_uncleanleaderelections_total", kCounter, "",
               "Leaders elected from outside the in-sync replicas since the start", kImage},
    sometimes({"kafka_cluster_partition_atminisr", kGauge, "topic,partition",
               "1 if this broker leads the partition and just min.insync.replicas (at most: all) are in sync",
               kImage}),
    sometimes({"kafka_cluster_partition_underminisr", kGauge, "topic,partition",
               "1 if this broker leads the partition and fewer than that are in sync", kImage}),
    MetricInfo{
        "kafka_network_socketserver_networkprocessoravgidle_percent", kGauge, "",
        "Share (0 to 1) of the time in which the event loops did not compute, since the last scrape but "
        "one second at least",
        "CPU clocks of the loops' threads"},
    MetricInfo{"kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent", kGauge, "",
               "The same number: the event loops handle the requests, too",
               "CPU clocks of the loops' threads"},
    MetricInfo{"kafka_server_socket_server_metrics_connection_count", kGauge, "listener", "Open connections",
               "connections"},
    MetricInfo{"kafka_server_socket_server_metrics_connection_creation_total", kCounter, "listener",
               "Connections accepted", "connections"},
    sometimes({"kafka_log_log_size", kGauge, "topic,partition", "Bytes of the partition's log", kPartition}),
    sometimes({"kafka_server_kafkaserver_linux_disk_read_bytes", kGauge, "",
               "Bytes that the process has read from disks", "/proc/self/io"}),
    sometimes({"kafka_server_kafkaserver_linux_disk_write_bytes", kGauge, "",
               "Bytes that the process has written to disks", "/proc/self/io"}),
    sometimes({"kafka_network_requestmetrics_requests_total", kCounter, "request",
               "Requests that have arrived", "event loops"}),
    sometimes({"kafka_network_requestmetrics_errors_total", kCounter, "request,error",
               "Errors in answers: one for each part of an answer (a partition, a group) that tells one",
               "event loops"}),
    sometimes({"kafka_network_requestmetrics_totaltimems", kSummary, "request",
               "Milliseconds from the last byte of a request to the last of its answer, since the start; "
               "quantiles are estimated from the buckets of milena_request_duration_seconds",
               "event loops"}),
    // Every client library
    sometimes({"process_cpu_seconds_total", kCounter, "", "CPU time of the process", "/proc/self/stat"}),
    sometimes(
        {"process_resident_memory_bytes", kGauge, "", "Resident memory of the process", "/proc/self/stat"}),
    sometimes(
        {"process_virtual_memory_bytes", kGauge, "", "Virtual memory of the process", "/proc/self/stat"}),
    sometimes({"process_threads", kGauge, "", "Threads of the process", "/proc/self/stat"}),
    sometimes({"process_start_time_seconds", kGauge, "", "When the process started, in seconds since 1970",
               "/proc/self/stat"}),
    sometimes({"process_open_fds", kGauge, "", "Open file descriptors", "/proc/self/fd"}),
    sometimes({"process_max_fds", kGauge, "", "Limit of file descriptors", "/proc/self/limits"}),
    // Ours
    sometimes(
        {"milena_request_duration_seconds", kHistogram, "request",
         "Time from the last byte of a request to the last of its answer, waiting for records or for other "
         "members included",
         "event loops"}),
    MetricInfo{"milena_pending_requests", kGauge, "", "Requests whose answer is not written yet",
               "event loops"},
    MetricInfo{"milena_request_memory_bytes", kGauge, "state",
               "Bytes of requests: pending ones (queued.max.request.bytes limits them), and unfinished ones",
               "event loops"},
    sometimes({"milena_connections_by_software", kGauge, "name,version",
               "Open connections by the client's software, as it names itself in ApiVersions",
               "ApiVersions handler"}),
    MetricInfo{"milena_event_loop_cpu_seconds_total", kCounter, "loop", "CPU time of each event loop",
               "CPU clocks of the loops' threads"},
    MetricInfo{"milena_worker_pool_queued_jobs", kGauge, "",
               "Jobs that wait for a thread of background.threads", "worker pool"},
    MetricInfo{"milena_worker_pool_running_jobs", kGauge, "", "Jobs that such threads run", "worker pool"},
    MetricInfo{"milena_worker_pool_max_threads", kGauge, "", "background.threads", "worker pool"},
    MetricInfo{"milena_log_flush_duration_seconds", kHistogram, "",
               "Time that forcing a partition's log to disk took", "log flushes"},
    sometimes({"milena_groups", kGauge, "protocol,state", "Groups by protocol and state", kCoordinator}),
    MetricInfo{
        "milena_group_rebalances_total", kCounter, "protocol,cause",
        "Rebalances begun since the group's log was loaded; of groups of the consumer protocol: new group "
        "epochs",
        kCoordinator},
    MetricInfo{"milena_open_transactions", kGauge, "",
               "Transactions that have begun and are neither committed nor aborted in full",
               "transaction coordinator"},
    MetricInfo{"milena_transactions_total", kCounter, "result",
               "Transactions that have ended since the coordinator's log was loaded",
               "transaction coordinator"},
    MetricInfo{
        "milena_metrics_left_out", kGauge, "what",
        "Topics, partitions, groups and offsets of groups that this scrape leaves out because of the limits",
        "scrape"},
};

}  // namespace

std::string_view to_string(MetricType type) {
  constexpr std::array<std::string_view, 4> kNames{"counter", "gauge", "histogram", "summary"};
  return kNames[static_cast<std::size_t>(type)];
}

std::span<const MetricInfo> metric_table() { return kTable; }

const MetricInfo* find_metric(std::string_view name) {
  const auto* const at = std::ranges::find(kTable, name, &MetricInfo::name);
  return at == kTable.end() ? nullptr : at;
}

std::vector<std::string_view> label_names(const MetricInfo& metric) {
  std::vector<std::string_view> names;
  for (std::string_view rest = metric.labels; !rest.empty();) {
    const auto comma = rest.find(',');
    names.push_back(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return names;
}

}  // namespace milena::broker
