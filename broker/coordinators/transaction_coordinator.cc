#include "broker/coordinators/transaction_coordinator.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/coordinators/internal_topics.h"
#include "broker/coordinators/transaction_settings.h"

namespace milena::broker {

using coordinator::TakeProducerId;
using coordinator::TransactionErrand;
using coordinator::TransactionMachine;
using coordinator::TransactionOutcome;
using coordinator::WriteMarkers;

// Writes the markers of one transaction, again and again until each partition has its own. Lives in the
// coordinator's set of runs until then.
class TransactionCoordinator::MarkerRun : public std::enable_shared_from_this<MarkerRun> {
 public:
  MarkerRun(TransactionCoordinator& owner, std::shared_ptr<Host> host, WriteMarkers errand)
      : owner_(owner), host_(std::move(host)), errand_(std::move(errand)), retry_([this] { write(); }) {
    for (const auto& [topic, partitions] : errand_.partitions) {
      for (const auto partition : partitions) missing_.emplace_back(topic, partition);
    }
  }

  // Answers may come while this runs, on this thread or on the loop.
  void write() {
    const auto self = shared_from_this();
    std::vector<Place> todo;
    {
      const MutexLock lock(mutex_);
      todo.swap(missing_);
      under_way_ = todo.size() + 1;
    }
    const TransactionMarker marker{.producer_id = errand_.producer.id,
                                   .producer_epoch = errand_.producer.epoch,
                                   .coordinator_epoch = errand_.coordinator_epoch,
                                   .commit = errand_.commit,
                                   .transaction_version = errand_.transaction_version};
    for (Place& place : todo) {
      owner_.needs_.markers.write(marker, place.first, place.second, [self, place](ErrorCode error) mutable {
        self->answered(std::move(place), error);
      });
    }
    settle_one();
  }

 private:
  static constexpr Instant kBackoff{100};
  using Place = std::pair<std::string, std::int32_t>;  // topic, partition

  void answered(Place place, ErrorCode error) {
    {
      const MutexLock lock(mutex_);
      if (owner_.is_stopped_ || error == ErrorCode::kInvalidProducerEpoch ||
          error == ErrorCode::kTransactionCoordinatorFenced) {
        is_given_up_ = true;
      } else if (error != ErrorCode::kNone && exists(place)) {
        missing_.push_back(std::move(place));
      }
    }
    settle_one();
  }

  bool exists(const Place& place) const {
    const auto image = owner_.needs_.metadata.image();
    const auto* topic = image->topic(place.first);
    return topic != nullptr && topic->partition(place.second) != nullptr;
  }

  void settle_one() {
    bool is_done = false, is_given_up = false;
    {
      const MutexLock lock(mutex_);
      if (--under_way_ > 0) return;
      is_given_up = is_given_up_;
      is_done = missing_.empty();
    }
    if (!is_done && !is_given_up) return try_again();
    if (!is_given_up) {
      host_->apply(std::make_shared<const Host::Change>(
          [errand = errand_](coordinator::Now now, TransactionMachine& machine, TransactionOutcome& out) {
            machine.markers_written(now, errand, out);
          }));
    }
    owner_.finished(*this);
  }

  void try_again() {
    auto& loop = owner_.needs_.loop;
    loop.post([self = shared_from_this(), &loop] { loop.arm(self->retry_, loop.now() + kBackoff); });
  }

  TransactionCoordinator& owner_;
  const std::shared_ptr<Host> host_;
  const WriteMarkers errand_;
  Timer retry_;  // of the loop

  Mutex mutex_;
  std::vector<Place> missing_ MILENA_GUARDED_BY(mutex_);
  std::size_t under_way_ MILENA_GUARDED_BY(mutex_) = 0;
  bool is_given_up_ MILENA_GUARDED_BY(mutex_) = false;  // somebody else is at it
};

TransactionCoordinator::TransactionCoordinator(CoordinatorServices services, Needs needs,
                                               const StaticConfig& settings, ShardHostOptions options)
    : needs_(needs),
      settings_(settings),
      config_(transaction_config(settings, *needs.metadata.image())),
      shards_(
          kTransactionsTopic, std::move(services), options,
          [this](Partition& partition) {
            return std::make_unique<TransactionMachine>(config(), partition.leader_epoch().value);
          },
          [this](const std::shared_ptr<Host>& host, TransactionErrand&& errand) {
            run(host, std::move(errand));
          }) {}

TransactionCoordinator::~TransactionCoordinator() = default;

void TransactionCoordinator::follow(const controller::MetadataImage& image) {
  auto fresh = transaction_config(settings_, image);
  const bool is_new = fresh->transaction_version != config()->transaction_version;
  if (is_new) {
    {
      const MutexLock lock(mutex_);
      config_ = fresh;
    }
    const auto change =
        std::make_shared<const Host::Change>([fresh](coordinator::Now, TransactionMachine& machine,
                                                     TransactionOutcome&) { machine.configure(fresh); });
    for (const auto& host : *shards_.hosts()) host->apply(change);
  }
  shards_.follow(image);
}

void TransactionCoordinator::add_or_verify_partitions(
    const coordinator::AddOrVerifyPartitions& request,
    std::move_only_function<void(std::span<const ErrorCode>)> done) {
  constexpr std::int16_t kNoApi = 0;
  ask(request.transactional_id, kNoApi, request, [done = std::move(done)](Completion&& completion) mutable {
    done(std::get<coordinator::PartitionErrors>(completion.reply).errors);
  });
}

void TransactionCoordinator::run(const std::shared_ptr<Host>& host, TransactionErrand errand) {
  if (auto* markers = std::get_if<WriteMarkers>(&errand)) {
    auto run = std::make_shared<MarkerRun>(*this, host, std::move(*markers));
    {
      const MutexLock lock(mutex_);
      runs_.insert(run);
    }
    return run->write();
  }
  needs_.producer_ids.take(
      [host, ticket = std::get<TakeProducerId>(errand).ticket](Result<protocol::ProducerId> id) {
        const auto taken = id ? std::optional(*id) : std::nullopt;
        host->apply(std::make_shared<const Host::Change>(
            [ticket, taken](coordinator::Now now, TransactionMachine& machine, TransactionOutcome& out) {
              machine.producer_id_arrived(now, ticket, taken, out);
            }));
      });
}

void TransactionCoordinator::finished(MarkerRun& run) {
  const MutexLock lock(mutex_);
  runs_.erase(run.shared_from_this());
}

std::shared_ptr<const coordinator::TransactionConfig> TransactionCoordinator::config() const {
  const MutexLock lock(mutex_);
  return config_;
}

}  // namespace milena::broker
