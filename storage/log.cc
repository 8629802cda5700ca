#include "storage/log.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "protocol/error_code.h"
#include "protocol/record_batch.h"
#include "storage/producer_batch.h"
#include "storage/producer_snapshot.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

using protocol::BatchIterator;
using protocol::RecordBatchView;

// The next batch, or why there is none: the end, or bytes that are no batch.
Result<std::optional<RecordBatchView>> next_batch(BatchIterator& batches) {
  auto batch = batches.next();
  if (!batch) return fail(ErrorCode::kCorruptMessage, batch.error().why);
  if (!*batch && !batches.rest().empty()) return fail(ErrorCode::kCorruptMessage, "a batch is cut off");
  return batch;
}

ProducerBatch placed(const RecordBatchView& batch, Offset base_offset) {
  ProducerBatch out = producer_batch_of(batch);
  out.base_offset = base_offset;
  out.last_offset = base_offset + batch.last_offset_delta();
  if (out.control) out.marker = read_marker(batch);
  return out;
}

}  // namespace

Log::Log(Fs& fs, DirectoryHealth& health, const LogOpenOptions& options)
    : place_{fs, health, options.directory},
      config_(options.config),
      log_start_offset_(options.log_start_offset),
      log_end_offset_(options.log_start_offset),
      high_watermark_(options.log_start_offset),
      recovery_point_(options.recovery_point),
      retired_(std::make_shared<std::atomic<bool>>(false)) {}

Log::~Log() { set_file_holder(nullptr); }

Offset Log::last_stable_offset() const {
  const auto unstable = producers_.first_unstable_offset();
  if (!unstable || *unstable >= high_watermark_) return high_watermark_;
  return std::max(*unstable, log_start_offset_);
}

std::uint64_t Log::size_bytes() const {
  std::uint64_t size = 0;
  for (const auto& segment : segments_) size += segment->size();
  return size;
}

LogCheckpoint Log::checkpoint() const {
  return {.recovery_point = recovery_point_,
          .log_start_offset = log_start_offset_,
          .high_watermark = high_watermark_};
}

void Log::advance_high_watermark(Offset offset) {
  const Offset bounded = std::min(offset, log_end_offset_);
  if (bounded <= high_watermark_) return;
  high_watermark_ = bounded;
  producers_.on_high_watermark(bounded);
}

Result<AppendInfo> Log::append_as_leader(MutableBytes records, const AppendOptions& options) {
  MILENA_CHECK(place_.health.check());
  producers_.discard();
  AppendInfo info{.first_offset = log_end_offset_};
  Offset next = log_end_offset_;
  BatchIterator batches(records);
  for (;;) {
    MILENA_TRY(const auto batch, next_batch(batches));
    if (!batch) break;
    const std::int32_t delta = batch->last_offset_delta();
    if (delta < 0) return fail(ErrorCode::kCorruptMessage, "the last offset lies before the first");
    if (next.value > std::numeric_limits<std::int64_t>::max() - delta - 1)
      return fail(ErrorCode::kKafkaStorageError, "the log has no offsets left");
    if (batch->has_producer_id()) {
      MILENA_TRY(const auto known, producers_.stage(placed(*batch, next), options.origin,
                                                    options.transaction_version, options.verification));
      if (known) {
        return AppendInfo{.first_offset = known->first_offset(),
                          .last_offset = known->last_offset,
                          .max_timestamp = known->timestamp,
                          .duplicate = true};
      }
    }
    info.max_timestamp = std::max(info.max_timestamp, batch->max_timestamp());
    next += std::int64_t{delta} + 1;
  }
  info.last_offset = next - 1;

  // Nothing refuses it any more but the disk: give the batches their places.
  next = info.first_offset;
  for (MutableBytes rest = records; !rest.empty();) {
    const auto batch = RecordBatchView::parse(rest);
    const std::size_t size = batch->size_in_bytes();
    protocol::set_base_offset(rest.first(size), next);
    protocol::set_partition_leader_epoch(rest.first(size), options.leader_epoch);
    next += std::int64_t{batch->last_offset_delta()} + 1;
    rest = rest.subspan(size);
  }
  return append(records, info, options.now_ms);
}

Result<AppendInfo> Log::append_as_follower(BytesView records, std::int64_t now_ms) {
  MILENA_CHECK(place_.health.check());
  producers_.discard();
  AppendInfo info;
  Offset next = log_end_offset_;
  BatchIterator batches(records);
  for (;;) {
    MILENA_TRY(const auto batch, next_batch(batches));
    if (!batch) break;
    const Offset base = batch->base_offset();
    const std::int32_t delta = batch->last_offset_delta();
    if (delta < 0 || base.value > std::numeric_limits<std::int64_t>::max() - std::max(delta, 0) - 1)
      return fail(ErrorCode::kCorruptMessage, "impossible offsets");
    if (base < next) return fail(ErrorCode::kOffsetOutOfRange, "the offset lies below the log end");
    if (batch->has_producer_id())
      MILENA_CHECK(producers_.stage(placed(*batch, base), AppendOrigin::kReplication, 0));
    if (info.first_offset == protocol::kNoOffset) info.first_offset = base;
    info.max_timestamp = std::max(info.max_timestamp, batch->max_timestamp());
    info.last_offset = base + delta;
    next = info.last_offset + 1;
  }
  return append(records, info, now_ms);
}

// Writes batches whose offsets and epochs are final, then lets everything derived follow.
Result<AppendInfo> Log::append(BytesView records, AppendInfo info, std::int64_t now_ms) {
  if (records.empty()) return fail(ErrorCode::kCorruptMessage, "no batch");
  if (records.size() > static_cast<std::size_t>(config_->segment_bytes))
    return fail(ErrorCode::kRecordListTooLarge, "larger than segment.bytes");
  if (active().should_roll(*config_, records.size(), info.last_offset, info.max_timestamp, now_ms)) {
    // Segments join without a gap, unless the gap is too wide for one segment's relative offsets.
    const bool fits = info.last_offset - log_end_offset_ <= std::numeric_limits<std::int32_t>::max();
    MILENA_CHECK(roll_to(fits ? log_end_offset_ : info.first_offset, now_ms));
    info.rolled = true;
  }
  const std::uint32_t start = active().size();
  if (start == 0) directory_dirty_ = true;
  if (active().indexes_on_disk()) MILENA_CHECK(active().discard_index_files());
  MILENA_CHECK(active().append(records, config_->append_room_bytes, now_ms));

  std::uint32_t position = start;
  for (BytesView rest = records; !rest.empty();) {
    const auto batch = RecordBatchView::parse(rest);
    active().note_batch(*batch, position, config_->index_interval_bytes);
    if (batch->partition_leader_epoch() >= 0)
      epochs_.assign(batch->partition_leader_epoch(), batch->base_offset());
    position += static_cast<std::uint32_t>(batch->size_in_bytes());
    rest = rest.subspan(batch->size_in_bytes());
  }
  newly_aborted_.clear();
  producers_.commit(newly_aborted_);
  for (const AbortedTransaction& txn : newly_aborted_) active().note_aborted(txn);
  log_end_offset_ = info.last_offset + 1;
  return info;
}

Status Log::roll(std::int64_t now_ms) {
  MILENA_CHECK(place_.health.check());
  if (active().size() == 0) return {};
  return roll_to(log_end_offset_, now_ms);
}

Status Log::roll_to(Offset base_offset, std::int64_t now_ms) {
  auto fresh = std::make_unique<Segment>(place_, base_offset, now_ms);
  read_ends_.forget();
  if (active().size() == 0) {
    DeletionJob job(place_.fs);
    MILENA_CHECK(rename_away(active(), job));
    segments_.back() = std::move(fresh);
    job.run();
    return {};
  }
  MILENA_CHECK(active().seal());
  open_sealed_.push_back(&active());
  snapshot_producers();
  segments_.push_back(std::move(fresh));
  return {};
}

// Remembers the producers as of the log end, to be written by the next flush job.
void Log::snapshot_producers() {
  const bool taken = (!snapshots_.empty() && snapshots_.back() >= log_end_offset_) ||
                     (!unwritten_snapshots_.empty() && unwritten_snapshots_.back().offset >= log_end_offset_);
  if (!taken && log_end_offset_ > 0)
    unwritten_snapshots_.push_back({log_end_offset_, encode_producer_snapshot(producers_)});
}

void Log::assign_epoch(LeaderEpoch epoch) { epochs_.assign(epoch, log_end_offset_); }

EpochEndOffset Log::end_offset_for_epoch(LeaderEpoch epoch) const {
  return epochs_.end_offset_for(epoch, log_end_offset_).value_or(EpochEndOffset{});
}

void Log::expire_producers(std::int64_t now_ms, std::int64_t expiration_ms) {
  producers_.expire(now_ms, expiration_ms);
}

std::vector<SegmentChecksums> Log::known_checksums() const {
  std::vector<SegmentChecksums> known;
  for (const auto& segment : segments_)
    if (segment->checksums() && segment->indexes_on_disk())
      known.push_back({segment->base_offset(), segment->size(), *segment->checksums()});
  return known;
}

FlushJob Log::flush_job(bool with_active) {
  MILENA_ASSERT(!flush_in_progress_, "one flush of a log at a time");
  flush_in_progress_ = true;
  FlushJob job(place_.fs, place_.health);
  job.directory_ = place_.directory;
  job.retired_ = retired_;
  job.up_to_ = log_end_offset_;
  // What is unsynced or unwritten lies at the end.
  for (std::size_t i = segments_.size(); i-- > 0;) {
    Segment& segment = *segments_[i];
    const bool writes_indexes =
        (segment.sealed() || with_active) && segment.size() > 0 && !segment.indexes_on_disk();
    if (segment.sealed() && !segment.needs_sync() && !writes_indexes) break;
    if (segment.needs_sync()) {
      // What is flushed ends with its records: recovery looks for room past the recovery point only.
      job.prepared(segment.cut_room());
      job.log_files_.push_back({segment.base_offset(), segment.open_file(),
                                place_.path(segment.base_offset(), kLogSuffix), segment.closed_unsynced()});
    }
    segment.set_needs_sync(false);
    if (writes_indexes)
      job.sealed_.push_back({segment.base_offset(), segment.size(), segment.share_indexes(), {}});
  }
  if (!job.sealed_.empty()) job.known_checksums_ = known_checksums();
  job.snapshots_ = std::move(unwritten_snapshots_);
  unwritten_snapshots_.clear();
  if (epochs_.behind(log_end_offset_)) {
    job.epochs_ = epochs_.encode();
    epochs_.set_written(true);
  }
  job.sync_directory_ = directory_dirty_ || !job.sealed_.empty() || !job.snapshots_.empty();
  job.sync_parent_ = parent_dirty_;
  directory_dirty_ = false;
  parent_dirty_ = false;
  return job;
}

FlushJob Log::begin_flush() { return flush_job(false); }

FlushJob Log::begin_close() {
  const bool has_news = active().size() > 0 && !active().indexes_on_disk();
  const Status prepared = has_news ? active().seal() : active().cut_room();
  snapshot_producers();
  FlushJob job = flush_job(true);
  job.prepared(prepared);
  return job;
}

void Log::finish_flush(const FlushJob& job) {
  flush_in_progress_ = false;
  const auto segment_at = [this](Offset base_offset) -> Segment* {  // null: deleted meanwhile
    Segment* segment = segments_[segment_index_of(base_offset)].get();
    return segment->base_offset() == base_offset ? segment : nullptr;
  };
  // Of a job that failed too: the file may be there, and has to go if the records do.
  for (const FlushJob::Snapshot& snapshot : job.snapshots_)
    if (!std::ranges::binary_search(snapshots_, snapshot.offset))
      snapshots_.insert(std::ranges::lower_bound(snapshots_, snapshot.offset), snapshot.offset);
  if (!job.done_) {
    // The disk was full, or the directory is offline: all of it is still to be done.
    for (const FlushJob::LogFile& log : job.log_files_) {
      Segment* segment = segment_at(log.base_offset);
      if (segment == nullptr) continue;
      segment->set_needs_sync(true);
      if (log.closed_unsynced) segment->set_closed_unsynced();
    }
    unwritten_snapshots_.insert(unwritten_snapshots_.begin(), job.snapshots_.begin(), job.snapshots_.end());
    if (job.epochs_) epochs_.set_written(false);
    directory_dirty_ = directory_dirty_ || job.sync_directory_;
    parent_dirty_ = parent_dirty_ || job.sync_parent_;
    return;
  }
  recovery_point_ = std::max(recovery_point_, std::min(job.up_to_, log_end_offset_));
  for (const FlushJob::Sealed& sealed : job.sealed_) {
    Segment* segment = segment_at(sealed.base_offset);
    if (segment == nullptr) continue;
    segment->set_indexes_on_disk(true);
    segment->set_checksums(sealed.checksums);
    if (std::ranges::find(open_sealed_, segment) == open_sealed_.end()) open_sealed_.push_back(segment);
  }
}

Status Log::flush() {
  MILENA_CHECK(place_.health.check());
  FlushJob job = begin_flush();
  const Status done = job.run();
  finish_flush(job);
  return done;
}

}  // namespace milena::storage
