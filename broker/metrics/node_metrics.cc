#include "broker/metrics/node_metrics.h"

#include <algorithm>
#include <string>
#include <utility>

namespace milena::broker {

NodeMetrics::NodeMetrics(Sources sources) : sources_(std::move(sources)) {
  earlier_ = latest_ = {.at = sources_.loops.front()->clock().fine_now(), .cpu = {}};
}

void NodeMetrics::write(Exposition& out) {
  write_server(out);
  write_loops(out);
  const auto load = sources_.workers.load();
  out.add("milena_worker_pool_queued_jobs", load.queued);
  out.add("milena_worker_pool_running_jobs", load.running);
  out.add("milena_worker_pool_max_threads", load.threads_max);
  DurationCounts flushes;
  sources_.flush_times.read_into(flushes);
  out.metric("milena_log_flush_duration_seconds").add({}, flushes);
  out.add("kafka_log_logmanager_offlinelogdirectorycount", sources_.offline_log_dirs());
}

void NodeMetrics::write_server(Exposition& out) {
  const auto status = sources_.server.status();
  {
    auto metric = out.metric("kafka_server_socket_server_metrics_connection_count");
    for (const auto& listener : status.listeners) metric.add({listener.name}, listener.open);
  }
  {
    auto metric = out.metric("kafka_server_socket_server_metrics_connection_creation_total");
    for (const auto& listener : status.listeners) metric.add({listener.name}, listener.created);
  }
  out.add("milena_pending_requests", status.pending_requests);
  auto memory = out.metric("milena_request_memory_bytes");
  memory.add({"pending"}, status.request_bytes);
  memory.add({"unfinished"}, status.partial_bytes);
}

void NodeMetrics::write_loops(Exposition& out) {
  {
    auto metric = out.metric("milena_event_loop_cpu_seconds_total");
    for (std::size_t i = 0; i < sources_.loops.size(); ++i) {
      metric.add({std::to_string(i)}, std::chrono::duration<double>(sources_.loops[i]->cpu_time()).count());
    }
  }
  const double idle = idle_share();
  out.add("kafka_network_socketserver_networkprocessoravgidle_percent", idle);
  out.add("kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent", idle);
}

NodeMetrics::Sample NodeMetrics::sample() const {
  Sample now{.at = sources_.loops.front()->clock().fine_now(), .cpu = {}};
  for (const Loop* loop : sources_.loops) now.cpu += loop->cpu_time();
  return now;
}

double NodeMetrics::idle_share() {
  const Sample now = sample();
  if (now.at - latest_.at >= std::chrono::seconds{1}) earlier_ = std::exchange(latest_, now);
  const auto passed = static_cast<double>((now.at - earlier_.at).count());
  if (passed <= 0) return 1;
  const auto busy = static_cast<double>((now.cpu - earlier_.cpu).count());
  return std::clamp(1 - busy / (passed * static_cast<double>(sources_.loops.size())), 0.0, 1.0);
}

}  // namespace milena::broker
