// BrokerMetrics: the metrics of one broker, wired: what counts, who tells, and the text of a scrape.
//
// Owned by Broker. Made before the sockets are bound, because requests pass through it; gather() before the
// first scrape. Scrapes come from one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/worker_pool.h"
#include "base/clock.h"
#include "base/fs.h"
#include "broker/metadata/metadata_source.h"
#include "broker/metrics/client_software.h"
#include "broker/metrics/durations.h"
#include "broker/metrics/group_metrics.h"
#include "broker/metrics/registry.h"
#include "broker/metrics/request_metrics.h"
#include "broker/net/server.h"
#include "broker/partition/log_dirs.h"
#include "broker/partition/partition_registry.h"
#include "controller/image/metadata_delta.h"

namespace milena::broker {

class BrokerMetrics {
 public:
  static constexpr std::string_view kContentType = Exposition::kContentType;

  // All outlive it.
  BrokerMetrics(RequestHandler& handlers, std::span<Loop* const> loops, Fs& fs, const Clock& clock);

  // Where the network hands requests to: counts them and passes them on.
  RequestHandler& requests() { return requests_; }
  ClientSoftware& client_software() { return client_software_; }
  // On the metadata thread.
  void metadata_changed(const controller::MetadataImage& before, const controller::MetadataImage& after,
                        const controller::MetadataChanges& changes);

  // All outlive the last scrape.
  struct Sources {
    protocol::BrokerId self;
    controller::ConfigMap file_config;  // what server.properties and its like set
    const Server& server;
    std::vector<Loop*> loops;
    const WorkerPool& workers;
    const LogDirs& dirs;
    PartitionRegistry& registry;
    const SharedDurations& flush_times;
    const MetadataSource& metadata;
    std::function<GroupsStatus(const GroupsStatus::Limits&)> groups;
    std::function<TransactionsStatus()> transactions;
  };
  void gather(Sources sources);

  std::string scrape() { return registry_.scrape(); }

 private:
  Fs& fs_;
  const Clock& clock_;
  const MetricLimits limits_{};
  RequestMetrics requests_;
  ClientSoftware client_software_;
  SharedCounter unclean_elections_;
  MetricsRegistry registry_;
};

}  // namespace milena::broker
