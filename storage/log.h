// Log: the records of one partition replica, as ordered segments in one directory.
//
// Owned by the broker's Partition and called under its mutex; not thread-safe. What may run outside that
// mutex is said where it is: reading a FileSlice, FlushJob::run, DeletionJob::run. Wall-clock time comes in
// as an argument.
//
// Always:  log_start_offset <= high_watermark <= log_end_offset, and the first two never go back, but for
//          truncation; segments do not overlap and only the last one is written; an append happens wholly or
//          leaves no trace in any of: end offset, indexes, epochs, producer state (L8);
//          producer state, epochs and aborted transactions are a function of the records (R1).
// Durable: everything below recovery_point() survives power loss; everything appended survives kill -9.
// Fails:   an I/O error takes the whole log directory offline (DirectoryHealth), and every later call on any
//          of its logs answers KAFKA_STORAGE_ERROR. A full disk fails the one call with the same code, and
//          passes (R9).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fs.h"
#include "base/result.h"
#include "storage/directory_health.h"
#include "storage/epoch_cache.h"
#include "storage/flush_job.h"
#include "storage/log_config.h"
#include "storage/log_types.h"
#include "storage/producer_state.h"
#include "storage/read_ends.h"
#include "storage/segment.h"
#include "storage/truncation_permit.h"

namespace milena::storage {

struct LogOpenOptions {
  std::string directory;  // of the partition; made when missing
  std::shared_ptr<const LogConfig> config;
  Offset log_start_offset = 0;  // from log-start-offset-checkpoint
  Offset recovery_point = 0;    // from recovery-point-offset-checkpoint
  Offset high_watermark = 0;    // from replication-offset-checkpoint
  // The log directory had its clean-shutdown marker: nothing is scanned.
  bool clean = false;
  // An fsync of this directory failed in an earlier life: what lies past the recovery point may be in the
  // page cache only, so recovery writes it again (R8).
  bool distrust_page_cache = false;
  // What lay before log_start_offset is all that retention can have deleted: a first segment behind it means
  // that segments are missing.
  bool log_start_is_exact = false;
  // At most the process was killed: all that was written is there, up to the last append.
  bool page_cache_is_intact = false;
  std::int64_t now_ms = 0;
};

class Log {
 public:
  // Opens the log, recovering it first unless it was closed cleanly. Recovery scans only segments past the
  // recovery point, drops a torn tail and rebuilds what is derived (R1, R2, R11).
  // KAFKA_STORAGE_ERROR: an I/O error, which takes the directory offline; or flushed records are damaged or
  // missing, in which case only this log is refused, no byte of it is changed, and health.fault_of() names
  // the file.
  static Result<std::unique_ptr<Log>> open(Fs& fs, DirectoryHealth& health, const LogOpenOptions& options);
  ~Log();

  // What open() found that operators should know.
  struct Recovery {
    std::uint64_t cut_bytes = 0;     // behind the last whole batch, and removed
    std::size_t kept_segments = 0;   // did not join what is before them, and are kept as *.log.kept
    bool has_lost_its_tail = false;  // all that was left lies below the log start, and was removed
    bool starts_late = false;        // the first segment lies behind the log start that was checkpointed
  };
  const Recovery& recovery() const { return recovery_; }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // --- where the log stands
  const std::string& directory() const { return place_.directory; }
  const LogConfig& config() const { return *config_; }
  void set_config(std::shared_ptr<const LogConfig> config) { config_ = std::move(config); }
  Offset log_start_offset() const { return log_start_offset_; }
  Offset log_end_offset() const { return log_end_offset_; }
  Offset high_watermark() const { return high_watermark_; }
  Offset recovery_point() const { return recovery_point_; }
  // The first offset a read_committed reader may not see: no open or unreplicated transaction lies below it.
  Offset last_stable_offset() const;
  std::uint64_t size_bytes() const;
  std::size_t segment_count() const { return segments_.size(); }
  Offset active_segment_base_offset() const { return active().base_offset(); }

  // What LogDirectory writes into its checkpoint files about this log.
  LogCheckpoint checkpoint() const;

  // Raises the high watermark to min(offset, log end); never lowers it.
  void advance_high_watermark(Offset offset);

  // --- append
  // Appends one or more whole v2 batches that the caller has validated (CRC, records, timestamps, size). Base
  // offsets and leader epochs are patched into `records`, which is then written as it is; nothing is copied.
  //   OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED
  //   RECORD_LIST_TOO_LARGE  larger than segment.bytes
  //   CORRUPT_MESSAGE        not a sequence of whole v2 batches
  //   KAFKA_STORAGE_ERROR    the disk is full, or the directory is offline
  Result<AppendInfo> append_as_leader(MutableBytes records, const AppendOptions& options);

  // Appends batches that carry the leader's offsets and epochs; CRCs have been checked. Offsets must not lie
  // below the log end; gaps are fine (the leader may have compacted).
  //   CORRUPT_MESSAGE, OFFSET_OUT_OF_RANGE (below the log end), KAFKA_STORAGE_ERROR
  Result<AppendInfo> append_as_follower(BytesView records, std::int64_t now_ms);

  // Seals the active segment, if it has records, and starts a new one at the log end.
  Status roll(std::int64_t now_ms);

  // --- read
  // Records from the batch that holds fetch_offset on, below upper_bound (a high watermark, a last stable
  // offset or the log end), from one segment, at most max_bytes; the first batch is given whole even if it is
  // larger when min_one_message is set (KIP-74).
  //   OFFSET_OUT_OF_RANGE  fetch_offset below the log start or above the log end
  Result<ReadInfo> read(Offset fetch_offset, std::uint32_t max_bytes, Offset upper_bound,
                        bool min_one_message);

  // Aborted transactions that overlap [from, upper_bound), by last offset: AbortedTransactions of a
  // read_committed fetch that returned `records` up to upper_bound.
  Result<std::vector<AbortedTransaction>> aborted_transactions(Offset from, Offset upper_bound);

  // The first record with a timestamp at or after `timestamp`, none if there is no such record.
  Result<std::optional<TimestampAndOffset>> offset_for_timestamp(std::int64_t timestamp);
  // The first record that has the largest timestamp of the log (KIP-734).
  Result<std::optional<TimestampAndOffset>> max_timestamp();

  // --- leader epochs (KIP-101, KIP-279)
  // A leader of this epoch starts to write at the log end.
  void assign_epoch(LeaderEpoch epoch);
  LeaderEpoch latest_epoch() const { return epochs_.latest(); }
  EpochEndOffset end_offset_for_epoch(LeaderEpoch epoch) const;
  // The epoch of the record at `offset`; kNoLeaderEpoch when unknown.
  LeaderEpoch epoch_of(Offset offset) const { return epochs_.epoch_of(offset); }

  // --- producers
  std::vector<ActiveProducer> active_producers() const { return producers_.active(); }
  // See ProducerState::begin_verification.
  std::optional<VerificationTicket> begin_verification(ProducerId id, std::int16_t epoch,
                                                       std::int64_t now_ms) {
    return producers_.begin_verification(id, epoch, now_ms);
  }
  // Forgets producers without an open transaction whose last batch or marker is older than expiration_ms.
  void expire_producers(std::int64_t now_ms, std::int64_t expiration_ms);
  const ProducerState& producers() const { return producers_; }

  // --- durability
  // Three steps, so that the disk waits outside the mutex: begin_flush (locked), FlushJob::run (not locked,
  // blocks), finish_flush (locked; also when run() failed). One at a time. After it, if run() went well,
  // everything that was appended before begin_flush lies below the recovery point.
  bool needs_flush() const { return recovery_point_ < log_end_offset_; }
  bool flush_in_progress() const { return flush_in_progress_; }
  FlushJob begin_flush();
  void finish_flush(const FlushJob& job);
  // The same three steps at once, for owners without a mutex.
  Status flush();
  // Like begin_flush, and the job also leaves on disk what a clean start reads: the indexes of the active
  // segment and a producer snapshot at the log end. Nothing may be appended afterwards.
  FlushJob begin_close();

  // --- removal
  // Raises the log start (DeleteRecords, a leader's log start). Segments that lie wholly below it go with the
  // next delete_old_segments.  OFFSET_OUT_OF_RANGE  offset above the high watermark
  Status advance_log_start(Offset offset);
  // Retention by log start, size and time, in that order, as far as cleanup.policy allows; never beyond the
  // high watermark. The log start rises before a file is renamed to *.deleted; the job unlinks them.
  // Two steps, so that the log start can be checkpointed in between: retention moves it (true: something lies
  // below it now), and what lies below it is deleted.
  Result<bool> expire(std::int64_t now_ms);
  Result<DeletionJob> delete_expired();
  Result<DeletionJob> delete_old_segments(std::int64_t now_ms);  // both

  // Where truncate_to(offset) would end: the batch that holds `offset` goes as a whole.
  Result<Offset> truncation_offset(Offset offset);
  // Drops every record at or above truncation_offset(offset). The permit, for that offset or below, proves
  // that no checkpoint claims more (R5): see LogDirectory::permit_truncation. Durable when it returns. No
  // flush may be in progress. High watermark, log start and recovery point follow the end down.
  //   OFFSET_OUT_OF_RANGE  below the first segment: truncate fully
  Status truncate_to(Offset offset, const TruncationPermit& permit);
  // Drops everything and starts anew at `offset`. The permit is for offset 0: on the way nothing may be left.
  Status truncate_fully_and_start_at(Offset offset, const TruncationPermit& permit, std::int64_t now_ms);

  // Closes descriptors and mappings of segments that were not used since the last call. Owners call it every
  // few seconds, so that idle partitions cost no descriptors.
  void release_idle_files();
  // Whom the file system may ask for open files: the owner, which calls release_files(). Null: nobody.
  void set_file_holder(FileHolder* holder);
  // Closes what can be had again (Segment::release_unused); false when nothing is left open. Files with
  // unsynced data: when `unsynced` is set, or it cannot be helped.
  bool release_files(FileHolder::Urgency urgency, bool unsynced);

  // The directory is about to be renamed away: running flush jobs end quietly.
  void retire() { retired_->store(true, std::memory_order_release); }

 private:
  // How far a segment is valid.
  struct Scan {
    std::uint32_t valid_bytes = 0;
    Offset next_offset;
  };

  struct SnapshotState {
    Offset offset = 0;
    ProducerState state;
  };

  Log(Fs& fs, DirectoryHealth& health, const LogOpenOptions& options);

  // log.cc: append, roll, flush
  Segment& active() { return *segments_.back(); }
  const Segment& active() const { return *segments_.back(); }
  Result<AppendInfo> append(BytesView records, AppendInfo info, std::int64_t now_ms);
  Status roll_to(Offset base_offset, std::int64_t now_ms);
  void snapshot_producers();
  FlushJob flush_job(bool with_active);
  std::vector<SegmentChecksums> known_checksums() const;

  // log_read.cc
  Result<ReadInfo> read_to_end(std::uint32_t start);
  std::size_t segment_index_of(Offset offset) const;
  Offset segment_end_offset(std::size_t i) const;
  // The segment with its indexes at hand; rebuilds them when their files cannot be used.
  Result<Segment*> usable(std::size_t i);
  // Segment::locate and its kin for segment i; its indexes are rebuilt if they mislead.
  template <class LookUp>
  Result<std::optional<BatchSpot>> find(std::size_t i, LookUp look_up);
  Result<std::optional<BatchSpot>> locate(std::size_t i, Offset offset);
  Result<std::optional<BatchSpot>> last_batch(std::size_t i);
  Result<std::uint32_t> position_of_bound(std::size_t i, Offset upper_bound);
  Result<std::optional<TimestampAndOffset>> first_record_at(Segment& segment, const BatchSpot& spot,
                                                            std::int64_t timestamp, Offset from);

  // log_truncate.cc
  Status remove_segments_from(std::size_t i);
  Status set_aside_segments_from(std::size_t i);
  Status rename_away(Segment& segment, DeletionJob& job);
  Status cut_to(Offset end, std::size_t last, const std::optional<BatchSpot>& spot);
  Status restart_at(Offset offset, std::int64_t now_ms, DeletionJob& job);
  Result<std::size_t> count_deletable(std::int64_t now_ms);
  Status remove_snapshots_above(Offset offset);
  Status forget_checksums();
  Status ensure_snapshot(Offset offset);
  Status sync_directory();

  // log_open.cc, log_recovery.cc
  Status load(const LogOpenOptions& options);
  Status find_segments(const LogOpenOptions& options, std::vector<std::string>& names);
  Result<std::vector<std::string>> list_files();
  Result<std::optional<std::vector<std::byte>>> read_listed(const std::vector<std::string>& names,
                                                            std::string_view name);
  Status load_checksums(const std::vector<std::string>& names, Offset recovery_point);
  Status check_sealed(const std::vector<SegmentChecksums>& known, Offset recovery_point) const;
  Status drop_snapshots_below(Offset offset);
  Status load_clean();
  Status recover(const LogOpenOptions& options);
  Result<Scan> scan(Segment& segment, Offset first_offset, bool is_last);
  Result<bool> is_room(Segment& segment, std::uint32_t start);
  Result<bool> is_torn_tail(std::size_t i, const Scan& scan);
  Status write_again(Segment& segment, Offset from);
  Status settle_start(const LogOpenOptions& options);
  Status settle_snapshots();
  Status rebuild_indexes(std::size_t i);
  Status write_indexes(Segment& segment);
  Result<std::optional<SnapshotState>> latest_snapshot(Offset offset);
  Result<ProducerState> producers_at(Offset offset);
  Status replay_producers(ProducerState& state, Offset from, Offset until);
  Status check_name_of(Segment& segment) const;
  Result<bool> epochs_agree();
  Status rebuild_epochs();

  SegmentPlace place_;
  std::shared_ptr<const LogConfig> config_;
  Offset log_start_offset_;
  Offset log_end_offset_;
  Offset high_watermark_;
  Offset recovery_point_;
  Recovery recovery_;
  std::vector<std::unique_ptr<Segment>> segments_;  // by base offset; never empty; the last one is active
  std::vector<Segment*> open_sealed_;  // sealed segments that may hold descriptors, oldest use first
  ReadEnds read_ends_;
  EpochCache epochs_;
  ProducerState producers_;
  std::vector<AbortedTransaction> newly_aborted_;        // of the append under way
  std::vector<Offset> snapshots_;                        // producer snapshots on disk, ascending
  std::vector<FlushJob::Snapshot> unwritten_snapshots_;  // taken, waiting for the next flush job
  std::shared_ptr<std::atomic<bool>> retired_;
  bool directory_dirty_ = false;  // entries were made or renamed since it was last synced
  bool parent_dirty_ = false;     // the log is new: so is the entry of its directory
  bool flush_in_progress_ = false;
};

}  // namespace milena::storage
