// ShardSet: the shards of one coordinator on this node: one for each partition of its internal topic, loaded
// while this node leads that partition.
//
// Owned by a coordinator, and outlives the event loops. follow() and stop() from the metadata thread, or
// while there is none; the rest from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async/loop.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "broker/coordinators/shard_host.h"
#include "broker/partition/partition_finder.h"
#include "controller/image/metadata_image.h"
#include "coordinator/runtime/java_string.h"

namespace milena::broker {

// What every coordinator needs of its broker.
struct CoordinatorServices {
  protocol::BrokerId self;
  PartitionFinder& partitions;
  std::vector<Loop*> loops;  // timers are spread over them
  Runner runner;             // for reading logs
  const Clock& clock;
  const Logger& log;
};

template <class M>
class ShardSet {
 public:
  using Host = ShardHost<M>;
  using Hosts = std::vector<std::shared_ptr<Host>>;  // index: partition of the topic

  ShardSet(std::string_view topic, CoordinatorServices services, ShardHostOptions options,
           typename Host::MachineFactory make_machine, typename Host::ErrandRunner run_errand = {})
      : topic_(topic),
        services_(std::move(services)),
        options_(options),
        make_machine_(std::move(make_machine)),
        run_errand_(std::move(run_errand)),
        hosts_(std::make_shared<const Hosts>()) {}

  // Loads what this node leads in the image and did not lead in this epoch before; unloads what it does not.
  void follow(const controller::MetadataImage& image) {
    const auto* topic = image.topic(topic_);
    if (topic_id_ != (topic == nullptr ? Uuid{} : topic->id)) {
      for (const auto& host : all_) host->unload(ErrorCode::kNotCoordinator);
      led_.clear();
      topic_id_ = topic == nullptr ? Uuid{} : topic->id;
    }
    const std::size_t count = topic == nullptr ? 0 : topic->partitions.size();
    led_.resize(count, protocol::kNoLeaderEpoch);
    while (all_.size() < count) all_.push_back(make_host(all_.size()));
    publish(Hosts(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(count)));
    if (topic == nullptr) return;
    for (const auto& [index, state] : topic->partitions) {
      const auto at = static_cast<std::size_t>(index.value);
      const bool leads = state->leader() == services_.self;
      if (!leads && led_[at] != protocol::kNoLeaderEpoch) {
        led_[at] = protocol::kNoLeaderEpoch;
        all_[at]->unload(ErrorCode::kNotCoordinator);
      } else if (leads && led_[at] < state->leader_epoch()) {
        auto partition = services_.partitions.find(topic->id, index);
        if (partition == nullptr || partition->is_offline()) continue;
        led_[at] = state->leader_epoch();
        all_[at]->lead(std::move(partition), services_.runner);
      }
    }
  }

  // Everyone who waits hears NOT_COORDINATOR, and so does everyone who comes later.
  void stop() {
    for (const auto& host : all_) host->unload(ErrorCode::kNotCoordinator);
  }

  std::shared_ptr<const Hosts> hosts() const {
    const MutexLock lock(mutex_);
    return hosts_;
  }
  struct Found {
    protocol::PartitionId partition;
    std::shared_ptr<Host> host;
  };
  // The shard of a group id or a transactional id, by Kafka's rule: the java hash of the key modulo the
  // number of partitions. None: the topic does not exist yet.
  std::optional<Found> find(std::string_view key) const {
    const auto all = hosts();
    if (all->empty()) return std::nullopt;
    const auto at = coordinator::partition_for_key(key, static_cast<std::int32_t>(all->size()));
    return Found{at, (*all)[static_cast<std::size_t>(at)]};
  }

 private:
  std::shared_ptr<Host> make_host(std::size_t partition) {
    return std::make_shared<Host>(make_machine_, run_errand_,
                                  *services_.loops[partition % services_.loops.size()], services_.clock,
                                  services_.log, options_);
  }
  void publish(Hosts hosts) {
    auto shared = std::make_shared<const Hosts>(std::move(hosts));
    const MutexLock lock(mutex_);
    hosts_ = std::move(shared);
  }

  const std::string topic_;
  const CoordinatorServices services_;
  const ShardHostOptions options_;
  const typename Host::MachineFactory make_machine_;
  const typename Host::ErrandRunner run_errand_;

  // The metadata thread's.
  Hosts all_;  // ever made: jobs and timers of the loops point to them, so they stay until the loops are gone
  Uuid topic_id_;
  std::vector<protocol::LeaderEpoch> led_;  // in which shards were loaded, -1 for none

  mutable Mutex mutex_;
  std::shared_ptr<const Hosts> hosts_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
