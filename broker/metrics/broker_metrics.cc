#include "broker/metrics/broker_metrics.h"

#include <algorithm>
#include <utility>

#include "broker/metrics/node_metrics.h"
#include "broker/metrics/process_metrics.h"
#include "broker/metrics/topic_metrics.h"

namespace milena::broker {
namespace {

std::size_t offline_dirs(const LogDirs& dirs) {
  const auto failed =
      std::ranges::count_if(dirs.usable(), [](const auto& dir) { return dir->health().offline(); });
  return dirs.unusable().size() + static_cast<std::size_t>(failed);
}

}  // namespace

BrokerMetrics::BrokerMetrics(RequestHandler& handlers, std::span<Loop* const> loops, Fs& fs,
                             const Clock& clock)
    : fs_(fs), clock_(clock), requests_(handlers, loops), client_software_(limits_.client_software) {}

void BrokerMetrics::metadata_changed(const controller::MetadataImage& before,
                                     const controller::MetadataImage& after,
                                     const controller::MetadataChanges& changes) {
  unclean_elections_.add(unclean_elections(before, after, changes));
}

void BrokerMetrics::gather(Sources sources) {
  const auto image = [&metadata = sources.metadata] { return metadata.image(); };
  registry_.add(
      std::make_unique<TopicMetrics>(TopicMetrics::Sources{.self = sources.self,
                                                           .image = image,
                                                           .registry = sources.registry,
                                                           .file_config = std::move(sources.file_config),
                                                           .unclean_elections = unclean_elections_,
                                                           .limits = limits_}));
  registry_.add(
      std::make_unique<GroupMetrics>(GroupMetrics::Sources{.groups = std::move(sources.groups),
                                                           .transactions = std::move(sources.transactions),
                                                           .image = image,
                                                           .registry = sources.registry,
                                                           .limits = limits_}));
  registry_.add(requests_.source());
  registry_.add(client_software_.source());
  registry_.add(std::make_unique<NodeMetrics>(
      NodeMetrics::Sources{.server = sources.server,
                           .loops = std::move(sources.loops),
                           .workers = sources.workers,
                           .flush_times = sources.flush_times,
                           .offline_log_dirs = [&dirs = sources.dirs] { return offline_dirs(dirs); }}));
  registry_.add(std::make_unique<ProcessMetrics>(fs_, clock_));
}

}  // namespace milena::broker
