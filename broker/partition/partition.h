// Partition: this node's replica of one topic partition: its log, its leadership, its high watermark and
// those who wait for it.
//
// Shared by the registry and by whoever uses it right now; thread-safe. One leaf mutex guards everything; it
// is never held while waiting, and never together with another one. Always:  what readers see ends at the
// high watermark; the high watermark follows the log end at once in
//          page-cache mode and after an fdatasync in fsync mode (docs/ARCHITECTURE.md, rule 11).
// Fails:   every verb answers NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH when the
// caller's
//          idea of the leader is wrong, UNKNOWN_TOPIC_OR_PARTITION once the partition is deleted, and
//          KAFKA_STORAGE_ERROR once its log directory is offline.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/uuid.h"
#include "broker/config/durability.h"
#include "broker/partition/partition_metrics.h"
#include "broker/partition/topic_settings.h"
#include "broker/partition/watch.h"
#include "protocol/types.h"
#include "storage/log.h"
#include "storage/log_directory.h"
#include "storage/partition_name.h"

namespace milena::broker {

using protocol::LeaderEpoch;
using protocol::Offset;
using protocol::PartitionId;

// Asked to run flush() of a partition soon, on a thread that may block.
class FlushScheduler {
 public:
  virtual ~FlushScheduler() = default;
  virtual void schedule_flush(std::shared_ptr<class Partition> partition) = 0;
  // Some partition's flush_overdue() wants to be called within a second or so. Called under its mutex: must
  // neither lock nor wait.
  virtual void expect_overdue_flush() = 0;
};

struct TopicIdentity {
  std::string name;
  Uuid id;
};

class Partition : public FileHolder, public std::enable_shared_from_this<Partition> {
 public:
  // `directory` is the one that `log` lives in.
  Partition(std::shared_ptr<const TopicIdentity> topic, PartitionId index, storage::LogDirectory& directory,
            std::unique_ptr<storage::Log> log, std::shared_ptr<const TopicSettings> settings,
            Durability durability, FlushScheduler& flusher);
  // A partition whose log cannot be had, as its directory is offline or the log is damaged: every verb
  // answers KAFKA_STORAGE_ERROR.
  Partition(std::shared_ptr<const TopicIdentity> topic, PartitionId index,
            std::shared_ptr<const TopicSettings> settings, FlushScheduler& flusher);
  ~Partition() override;

  const std::string& topic_name() const { return topic_->name; }
  const Uuid& topic_id() const { return topic_->id; }
  const std::shared_ptr<const TopicIdentity>& topic() const { return topic_; }
  PartitionId index() const { return index_; }
  // Null for a partition that was offline from the start.
  storage::LogDirectory* directory() const { return directory_; }
  // There is no log, or its directory has failed.
  bool is_offline() const { return directory_ == nullptr || directory_->health().offline(); }
  storage::TopicPartition name() const { return {topic_->name, index_}; }
  const PartitionMetrics& metrics() const { return metrics_; }
  // What its handlers have to tell: a batch of a Produce request was taken or refused, records were sent.
  void count_produce(bool failed);
  void count_bytes_out(std::uint64_t bytes) { metrics_.bytes_out.add(bytes); }

  // --- leadership, from the metadata image
  // A higher epoch starts at the log end; an equal one changes nothing; a lower one is ignored.
  void become_leader(LeaderEpoch epoch);
  void set_settings(std::shared_ptr<const TopicSettings> settings);
  std::shared_ptr<const TopicSettings> settings();

  // --- produce
  struct Appended {
    storage::AppendInfo info;
    Offset log_start_offset;
    LeaderEpoch leader_epoch;
    bool committed = false;  // below the high watermark already
  };
  // `records` are validated batches; base offsets and leader epochs are patched into them. Wakes watches.
  Result<Appended> append(MutableBytes records, storage::AppendOptions options);
  // Before the first batch of a transaction: the ticket under which it may be appended once the coordinator
  // has confirmed that the partition takes part (KIP-890); none when the transaction is open here already.
  Result<std::optional<storage::VerificationTicket>> begin_verification(protocol::ProducerId producer,
                                                                        std::int16_t epoch,
                                                                        std::int64_t now_ms);

  // --- fetch
  struct FetchQuery {
    Offset fetch_offset;
    LeaderEpoch current_leader_epoch = protocol::kNoLeaderEpoch;  // -1: not checked
    LeaderEpoch last_fetched_epoch = protocol::kNoLeaderEpoch;    // -1: no divergence check (KIP-595)
    std::uint32_t max_bytes = 0;
    bool min_one_message = false;
    bool read_committed = false;
    bool to_log_end = false;  // a replica reads past the high watermark
  };
  struct FetchAnswer {
    storage::FileSlice records;
    Offset high_watermark = protocol::kNoOffset;
    Offset last_stable_offset = protocol::kNoOffset;
    Offset log_start_offset = protocol::kNoOffset;
    std::optional<storage::EpochEndOffset> diverging_epoch;
    std::optional<std::vector<storage::AbortedTransaction>> aborted_transactions;  // read_committed only
  };
  Result<FetchAnswer> fetch(const FetchQuery& query);

  // --- lookups
  struct Offsets {
    Offset log_start;
    Offset high_watermark;
    Offset last_stable;
    Offset log_end;
    LeaderEpoch leader_epoch;
  };
  Result<Offsets> offsets(LeaderEpoch current_leader_epoch);
  // The answer to "which offset has this timestamp"; none when there is no such record.
  Result<std::optional<storage::TimestampAndOffset>> offset_for_timestamp(std::int64_t timestamp,
                                                                          LeaderEpoch current_leader_epoch);
  Result<std::optional<storage::TimestampAndOffset>> max_timestamp(LeaderEpoch current_leader_epoch);
  // The first record of the log, if there is one.
  Result<storage::TimestampAndOffset> earliest(LeaderEpoch current_leader_epoch);
  Result<storage::EpochEndOffset> end_offset_for_epoch(LeaderEpoch epoch, LeaderEpoch current_leader_epoch);
  Result<std::vector<storage::ActiveProducer>> active_producers();
  LeaderEpoch leader_epoch();

  // --- deletion
  // Raises the log start offset to `offset`, or to the high watermark for -1; returns the new log start.
  //   OFFSET_OUT_OF_RANGE  beyond the high watermark, or below -1
  Result<Offset> delete_records(Offset offset);
  // Retention: files that may go, to be unlinked by DeletionJob::run on a thread that may block.
  // See Log: in between, note_checkpoint() and LogDirectory::write_checkpoints().
  Result<bool> expire_segments(std::int64_t now_ms);
  Result<storage::DeletionJob> delete_expired_segments();
  // The topic is deleted, or this node goes down: nothing works any more, and everybody who waits is woken.
  // The log goes to the caller; null if it did before, or there is none.
  std::unique_ptr<storage::Log> close();

  // --- watches
  // Hangs `watch` on the partition, unless more than `seen` is readable already or the partition is closed:
  // then nothing is attached and the answer is false. `seen` is the high watermark (or last stable offset)
  // that the caller last read, so that no change can slip in between.
  bool attach(PartitionWatch& watch, Offset seen_high_watermark);
  // Hangs `watch` on the partition; false when it is closed.
  bool attach(PartitionWatch& watch);
  void detach(PartitionWatch& watch);

  // --- upkeep
  // Everything appended before is on stable storage when this returns, and below the high watermark. Blocks.
  Status flush();
  // Tells the home directory where the log stands, for its next checkpoint.
  void note_checkpoint();
  void expire_producers(std::int64_t now_ms, std::int64_t expiration_ms);
  void release_idle_files();
  // Closes files of the log for want of descriptors, unless the partition is busy.
  bool release_files(Urgency urgency) override;
  // Whether records have waited longer than flush.ms for a flush, or the last one failed on a full disk.
  // False, and perhaps true later: then the flush scheduler is told to expect it.
  bool flush_overdue(Instant now);
  // Of the log on disk; 0 without one.
  std::uint64_t size_bytes();

 private:
  Status check_open() MILENA_REQUIRES(mutex_);
  Status check_leader(LeaderEpoch current_leader_epoch) MILENA_REQUIRES(mutex_);
  void raise_high_watermark(Offset offset, std::uint64_t readable_bytes, WakeList& wakes)
      MILENA_REQUIRES(mutex_);
  void tell_watches(const PartitionChange& change, WakeList& wakes) MILENA_REQUIRES(mutex_);
  void link(PartitionWatch& watch) MILENA_REQUIRES(mutex_);
  void expect_overdue_flush() MILENA_REQUIRES(mutex_);
  Result<FetchAnswer> read(const FetchQuery& query) MILENA_REQUIRES(mutex_);
  // After changes of the log that are no appends.
  void publish_log() MILENA_REQUIRES(mutex_);

  const std::shared_ptr<const TopicIdentity> topic_;
  const PartitionId index_;
  storage::LogDirectory* const directory_;
  const Durability durability_;
  FlushScheduler& flusher_;
  PartitionMetrics metrics_;

  Mutex mutex_;
  std::unique_ptr<storage::Log> log_ MILENA_GUARDED_BY(mutex_);  // null once closed, or while offline
  std::shared_ptr<const TopicSettings> settings_ MILENA_GUARDED_BY(mutex_);
  LeaderEpoch leader_epoch_ MILENA_GUARDED_BY(mutex_) = protocol::kNoLeaderEpoch;
  bool flush_scheduled_ MILENA_GUARDED_BY(mutex_) = false;
  bool flush_failed_ MILENA_GUARDED_BY(mutex_) = false;  // the disk is full; flush_overdue() tries again
  std::uint64_t unflushed_bytes_ MILENA_GUARDED_BY(mutex_) = 0;
  std::uint64_t unflushed_records_ MILENA_GUARDED_BY(mutex_) = 0;
  std::optional<Instant> unflushed_since_ MILENA_GUARDED_BY(mutex_);  // as flush_overdue() first saw it
  PartitionWatch* first_watch_ MILENA_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace milena::broker
