// GroupCoordinator: the groups that this node coordinates: one shard for each partition of __consumer_offsets
// that it leads.
//
// Owned by Broker, and outlives the event loops. Requests come from the loops, news of the metadata from the
// metadata thread; each shard has its own lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "base/rng.h"
#include "broker/coordinators/shard_set.h"
#include "controller/image/metadata_delta.h"
#include "coordinator/group/group_machine.h"

namespace milena::broker {

class GroupCoordinator {
 public:
  using Shards = ShardSet<coordinator::GroupMachine>;
  using Host = Shards::Host;
  using Completion = Host::Completion;
  using Answer = Host::Answer;

  // `offsets_partitions`: how many partitions __consumer_offsets gets when it is created.
  GroupCoordinator(CoordinatorServices services, Rng& rng,
                   std::shared_ptr<const coordinator::GroupConfig> config, ShardHostOptions options,
                   std::int32_t offsets_partitions);

  // Begins to load what this node leads in the image and has not loaded yet. On the metadata thread, or
  // before there is one.
  void start(const controller::MetadataImagePtr& image);
  // Follows one change of the image, after the partitions have.
  void apply(const controller::MetadataImage& before, const controller::MetadataImagePtr& after,
             const controller::MetadataChanges& changes);
  // From now on, for groups that exist and those to come. On the metadata thread, or before there is one.
  void configure(std::shared_ptr<const coordinator::GroupConfig> config);
  void stop() { shards_.stop(); }

  const Shards& shards() const { return shards_; }
  // Which partition of __consumer_offsets a group belongs to. Before the topic exists: the one it will belong
  // to if the topic is created with the configured number of partitions.
  protocol::PartitionId partition_of(std::string_view group_id) const {
    const auto found = shards_.find(group_id);
    return found ? found->partition : coordinator::partition_for_key(group_id, offsets_partitions_);
  }

  // One request about one group. `answer` is called once, on any thread; until then what `context` and
  // `request` point to must live.
  template <class Request>
  void ask(std::string_view group_id, const coordinator::RequestContext& context, const Request& request,
           Answer answer) {
    if (const auto found = shards_.find(group_id)) {
      return found->host->ask(context, request, std::move(answer));
    }
    refuse(context, request, std::move(answer));
  }

  template <class Request>
  static void refuse(const coordinator::RequestContext& context, const Request& request, Answer answer) {
    auto memory = std::make_shared<Arena>();
    answer({.token = 0,
            .reply = coordinator::GroupMachine::refuse(context, request, ErrorCode::kNotCoordinator, *memory),
            .memory = memory});
  }

 private:
  void set_view(controller::MetadataImagePtr image);
  std::shared_ptr<const coordinator::MetadataView> view() const;
  std::shared_ptr<const coordinator::GroupConfig> config() const;

  const std::int32_t offsets_partitions_;
  mutable Mutex mutex_;
  std::shared_ptr<const coordinator::MetadataView> view_ MILENA_GUARDED_BY(mutex_);
  std::shared_ptr<const coordinator::GroupConfig> config_ MILENA_GUARDED_BY(mutex_);
  Shards shards_;
};

}  // namespace milena::broker
