// GroupCoordinator: the groups that this node coordinates: one shard for each partition of __consumer_offsets
// that it leads.
//
// Owned by Broker, and outlives the event loops. Requests come from the event loops, news of the metadata
// from the metadata thread; each shard has its own lock. Always:  a group's shard is the one of Kafka's rule,
// java hash of the group id
//   modulo the number of partitions, so a data directory means the same to both.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/async/loop.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "broker/coordinators/shard_host.h"
#include "broker/partition/partition_finder.h"
#include "controller/image/metadata_delta.h"
#include "coordinator/group/group_machine.h"

namespace milena::broker {

class GroupCoordinator {
 public:
  using Host = ShardHost<coordinator::GroupMachine>;
  using Completion = Host::Completion;
  using Answer = Host::Answer;
  using Hosts = std::vector<std::shared_ptr<Host>>;  // index: partition of __consumer_offsets

  struct Services {
    PartitionFinder& partitions;
    std::vector<Loop*> loops;  // timers are spread over them
    Runner runner;             // for reading logs
    const Clock& clock;
    Rng& rng;
    const Logger& log;
  };

  GroupCoordinator(protocol::BrokerId self, Services services,
                   std::shared_ptr<const coordinator::GroupConfig> config, ShardHostOptions options);

  // Begins to load what this node leads in the image.
  void start(const controller::MetadataImagePtr& image);
  // Follows one change of the image, after the partitions have.
  void apply(const controller::MetadataImage& before, const controller::MetadataImagePtr& after,
             const controller::MetadataChanges& changes);
  // Everyone who waits hears NOT_COORDINATOR, and so does everyone who comes later.
  void stop();

  // One request about one group. `answer` is called once, on any thread; until then what `context` and
  // `request` point to must live.
  template <class Request>
  void ask(std::string_view group_id, const coordinator::RequestContext& context, const Request& request,
           Answer answer) {
    if (const auto host = host_of(group_id)) return host->ask(context, request, std::move(answer));
    refuse(context, request, std::move(answer));
  }

  // Null: this node does not know the partition of that group.
  std::shared_ptr<Host> host_of(std::string_view group_id) const;
  std::shared_ptr<const Hosts> hosts() const;

  template <class Request>
  static void refuse(const coordinator::RequestContext& context, const Request& request, Answer answer) {
    auto memory = std::make_shared<Arena>();
    answer({.token = 0,
            .reply = coordinator::GroupMachine::refuse(context, request, ErrorCode::kNotCoordinator, *memory),
            .memory = memory});
  }

 private:
  void follow_offsets_topic(const controller::MetadataImage& image);
  void set_view(controller::MetadataImagePtr image);
  std::shared_ptr<const coordinator::MetadataView> view() const;
  std::shared_ptr<Host> make_host(std::size_t partition);

  const protocol::BrokerId self_;
  const Services services_;
  const std::shared_ptr<const coordinator::GroupConfig> config_;
  const ShardHostOptions options_;

  // The metadata thread's.
  Hosts all_;  // ever made: jobs and timers of the loops point to them, so they stay until the loops are gone
  Uuid topic_id_;
  std::vector<protocol::LeaderEpoch> led_;  // in which shards were loaded, -1 for none

  mutable Mutex mutex_;
  std::shared_ptr<const Hosts> hosts_ MILENA_GUARDED_BY(mutex_);
  std::shared_ptr<const coordinator::MetadataView> view_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena::broker
