#include "broker/coordinators/marker_writer.h"

#include <atomic>
#include <memory>
#include <utility>

#include "broker/coordinators/internal_topics.h"
#include "protocol/control_record.h"

namespace milena::broker {
namespace {

// Waits until what was appended is committed. Keeps itself alive until then.
class CommitWait final : public Wakeable,
                         public PartitionWatch,
                         public std::enable_shared_from_this<CommitWait> {
 public:
  CommitWait(std::shared_ptr<Partition> partition, Offset last_offset, Loop& loop, MarkerWriter::Done done)
      : partition_(std::move(partition)), last_offset_(last_offset), loop_(loop), done_(std::move(done)) {}
  ~CommitWait() override { partition_->detach(*this); }

  void start() {
    self_ = shared_from_this();
    if (partition_->attach(*this, last_offset_)) return;
    // Committed, or closed, since the append.
    const auto offsets = partition_->offsets(protocol::kNoLeaderEpoch);
    is_committed_ = offsets && offsets->high_watermark > last_offset_;
    if (!is_settled_.exchange(true)) woken();
  }

  void changed(const PartitionChange& change, WakeList& wakes) override {
    const bool committed = change.high_watermark > last_offset_;
    if ((!committed && !change.closed) || is_settled_.exchange(true)) return;
    is_committed_ = committed;
    wakes.add(self_);
  }
  // The thread that is here may hold the lock of a shard; what comes next may want another one.
  void woken() override {
    loop_.post([self = std::exchange(self_, nullptr)] {
      self->partition_->detach(*self);
      self->done_(self->is_committed_ ? ErrorCode::kNone : ErrorCode::kNotLeaderOrFollower);
    });
  }

 private:
  const std::shared_ptr<Partition> partition_;
  const Offset last_offset_;
  Loop& loop_;
  MarkerWriter::Done done_;
  std::shared_ptr<CommitWait> self_;
  std::atomic<bool> is_settled_ = false;
  bool is_committed_ = false;
};

}  // namespace

Result<Partition::Appended> MarkerWriter::append(const TransactionMarker& marker, Partition& partition) {
  auto batch = protocol::build_end_txn_marker(
      {.producer_id = marker.producer_id, .producer_epoch = marker.producer_epoch}, clock_.wall_ms(),
      marker.commit ? protocol::ControlRecordType::kCommit : protocol::ControlRecordType::kAbort,
      marker.coordinator_epoch);
  if (partition.topic_name() != kOffsetsTopic) {
    return partition.append(batch, {.origin = storage::AppendOrigin::kCoordinator,
                                    .transaction_version = marker.transaction_version,
                                    .now_ms = clock_.wall_ms()});
  }
  const auto hosts = groups_.shards().hosts();
  const auto at = static_cast<std::size_t>(partition.index().value);
  if (at >= hosts->size()) return fail(ErrorCode::kNotLeaderOrFollower, "no shard stands for the partition");
  return (*hosts)[at]->end_transaction(batch, marker.producer_id, marker.commit, marker.transaction_version);
}

void MarkerWriter::write(const TransactionMarker& marker, std::string_view topic, protocol::PartitionId index,
                         Done done) {
  auto partition = partitions_.find(topic, index);
  if (partition == nullptr) return done(ErrorCode::kUnknownTopicOrPartition);
  const auto appended = append(marker, *partition);
  if (!appended) return done(appended.error().code);
  if (appended->committed) return done(ErrorCode::kNone);
  std::make_shared<CommitWait>(std::move(partition), appended->info.last_offset, loop_, std::move(done))
      ->start();
}

}  // namespace milena::broker
