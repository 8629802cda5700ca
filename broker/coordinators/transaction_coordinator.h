// TransactionCoordinator: the transactions that this node coordinates: one shard for each partition of
// __transaction_state that it leads, and the errands that the machine wants done.
//
// Owned by Broker, and outlives the event loops. Requests come from the loops, news of the metadata from the
// metadata thread; each shard has its own lock, which is never held while an errand runs.
// Always:  the markers of a decided transaction are written again and again until every partition that still
//          exists has its own, or a later coordinator is at it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "broker/config/static_config.h"
#include "broker/coordinators/marker_writer.h"
#include "broker/coordinators/producer_ids.h"
#include "broker/coordinators/shard_set.h"
#include "broker/metadata/metadata_source.h"
#include "coordinator/transaction/transaction_machine.h"

namespace milena::broker {

class TransactionCoordinator {
 public:
  using Shards = ShardSet<coordinator::TransactionMachine>;
  using Host = Shards::Host;
  using Completion = Host::Completion;
  using Answer = Host::Answer;

  struct Needs {
    MarkerWriter& markers;
    ProducerIds& producer_ids;
    const MetadataSource& metadata;
    Loop& loop;  // for what has to be tried again
  };

  TransactionCoordinator(CoordinatorServices services, Needs needs, const StaticConfig& settings,
                         ShardHostOptions options);
  ~TransactionCoordinator();

  // Loads what this node leads in the image, unloads what it does not lead any more; takes on a change of
  // transaction.version.
  void follow(const controller::MetadataImage& image);
  // Errands end, done or not; whoever loads the shards next begins them anew.
  void stop() {
    is_stopped_ = true;
    shards_.stop();
  }

  const Shards& shards() const { return shards_; }

  // One request about one transactional id. `answer` is called once, on any thread; until then what `request`
  // points to must live.
  template <class Request>
  void ask(std::string_view transactional_id, std::int16_t api_version, const Request& request,
           Answer answer) {
    const coordinator::TransactionContext context{.api_version = api_version};
    if (const auto found = shards_.find(transactional_id)) {
      return found->host->ask(context, request, std::move(answer));
    }
    refuse(context, request, std::move(answer));
  }

  // Makes sure that partitions take part in the producer's ongoing transaction, before they are written to:
  // adds those that do not, or only looks. `done` is called once, on any thread, with an error for each of
  // the partitions, in their order; until then what `request` points to must live.
  void add_or_verify_partitions(const coordinator::AddOrVerifyPartitions& request,
                                std::move_only_function<void(std::span<const ErrorCode>)> done);

  template <class Request>
  static void refuse(const coordinator::TransactionContext& context, const Request& request, Answer answer) {
    auto memory = std::make_shared<Arena>();
    answer({.token = 0,
            .reply = coordinator::TransactionMachine::refuse(context, request, ErrorCode::kNotCoordinator,
                                                             *memory),
            .memory = memory});
  }

 private:
  class MarkerRun;

  void run(const std::shared_ptr<Host>& host, coordinator::TransactionErrand errand);
  void finished(MarkerRun& run);
  std::shared_ptr<const coordinator::TransactionConfig> config() const;

  const Needs needs_;
  const StaticConfig& settings_;
  std::atomic<bool> is_stopped_ = false;
  mutable Mutex mutex_;
  std::shared_ptr<const coordinator::TransactionConfig> config_ MILENA_GUARDED_BY(mutex_);
  std::set<std::shared_ptr<MarkerRun>> runs_ MILENA_GUARDED_BY(mutex_);
  Shards shards_;
};

}  // namespace milena::broker
