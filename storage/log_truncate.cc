// Log: everything that removes records: truncation at the end, retention at the start.
//
// Order on disk, so that a crash at any point leaves a log that opens (R4): what would describe records that
// are gone (snapshots) goes before the records; at the end the highest segment goes first, at the start the
// lowest.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "protocol/error_code.h"
#include "storage/log.h"
#include "storage/producer_snapshot.h"
#include "storage/retention.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

IoStatus write_synced(Fs& fs, const std::string& path, BytesView bytes) {
  MILENA_TRY(const auto file, fs.open(path, OpenMode::kTruncate));
  MILENA_CHECK(file->write_at(0, bytes));
  return file->sync();
}

}  // namespace

Status Log::sync_directory() {
  if (const auto synced = place_.fs.sync_directory(place_.directory); !synced)
    return place_.health.fail(synced.error(), place_.directory);
  directory_dirty_ = false;
  if (!parent_dirty_) return {};
  const std::string parent = parent_directory(place_.directory);
  if (const auto synced = place_.fs.sync_directory(parent); !synced)
    return place_.health.fail(synced.error(), parent);
  parent_dirty_ = false;
  return {};
}

// Takes the segment's files out of sight: *.deleted, the log first. `job` will unlink them.
Status Log::rename_away(Segment& segment, DeletionJob& job) {
  for (const std::string_view suffix : {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
    const std::string path = place_.path(segment.base_offset(), suffix);
    const std::string deleted = path + std::string(kDeletedSuffix);
    const auto renamed = place_.fs.rename(path, deleted);
    if (!renamed && renamed.error().code != ENOENT) return place_.health.fail(renamed.error(), path);
    if (renamed) job.paths_.push_back(deleted);
  }
  std::erase(open_sealed_, &segment);
  directory_dirty_ = true;
  return {};
}

// Segments i and up, the highest first, after forget_checksums(). They stay in memory until all are out of
// sight.
Status Log::remove_segments_from(std::size_t i) {
  DeletionJob job(place_.fs);
  for (std::size_t at = segments_.size(); at-- > i;) MILENA_CHECK(rename_away(*segments_[at], job));
  segments_.resize(i);
  job.run();
  return {};
}

// The same for segments that a recovery cannot join to what is before them, but for their records, which are
// kept as *.log.kept: a segment in between may only have been moved away.
Status Log::set_aside_segments_from(std::size_t i) {
  for (std::size_t at = segments_.size(); at-- > i;) {
    Segment& segment = *segments_[at];
    MILENA_TRY(const bool is_only_room, is_room(segment, 0));
    if (segment.size() == 0 || is_only_room) continue;
    const std::string path = place_.path(segment.base_offset(), kLogSuffix);
    std::string kept = path + std::string(kKeptSuffix);
    for (int n = 1; place_.fs.exists(kept); ++n) kept = fmt::format("{}{}.{}", path, kKeptSuffix, n);
    if (const auto renamed = place_.fs.rename(path, kept); !renamed)
      return place_.health.fail(renamed.error(), path);
    ++recovery_.kept_segments;
  }
  return remove_segments_from(i);
}

// The file of checksums also says which segments there must be (check_sealed). An empty one says nothing, and
// that no index file is to be believed; the next flush writes it anew.
Status Log::forget_checksums() {
  const std::string path = join(place_.directory, kIndexChecksumsName);
  const auto file = place_.fs.open(path, OpenMode::kTruncate);
  if (!file) return place_.health.fail(file.error(), path);
  if (const auto synced = (*file)->sync(); !synced) return place_.health.fail(synced.error(), path);
  directory_dirty_ = true;
  return {};
}

Status Log::remove_snapshots_above(Offset offset) {
  std::erase_if(unwritten_snapshots_, [&](const auto& snapshot) { return snapshot.offset > offset; });
  bool removed_any = false;
  while (!snapshots_.empty() && snapshots_.back() > offset) {
    const std::string path = place_.path(snapshots_.back(), kSnapshotSuffix);
    const auto removed = place_.fs.remove(path);
    if (!removed && removed.error().code != ENOENT) return place_.health.fail(removed.error(), path);
    snapshots_.pop_back();
    removed_any = true;
  }
  return removed_any ? sync_directory() : Status{};
}

Result<Offset> Log::truncation_offset(Offset offset) {
  MILENA_CHECK(place_.health.check());
  if (offset >= log_end_offset_) return log_end_offset_;
  const std::size_t i = segment_index_of(offset);
  MILENA_TRY(const auto spot, locate(i, offset));
  if (spot) return std::min(spot->base_offset, offset);
  // Compaction has emptied the rest of the segment.
  MILENA_TRY(const auto last, last_batch(i));
  return last ? last->last_offset + 1 : segments_[i]->base_offset();
}

Status Log::truncate_to(Offset offset, const TruncationPermit& permit) {
  MILENA_ASSERT(!flush_in_progress_, "a flush would write about records that go");
  MILENA_TRY(const Offset end, truncation_offset(offset));
  MILENA_ASSERT(permit.offset() <= end, "the permit is for another offset");
  if (end == log_end_offset_) {
    // A leader that never appended may have left an epoch at the end.
    epochs_.truncate_from_end(end);
    return {};
  }
  if (end < log_start_offset_)
    return fail(ErrorCode::kOffsetOutOfRange, "below the log start: truncate fully instead");

  read_ends_.forget();
  const std::size_t last = segment_index_of(end);
  MILENA_TRY(const auto spot, locate(last, end));
  recovery_point_ = std::min(recovery_point_, end);
  MILENA_CHECK(remove_snapshots_above(end));
  MILENA_CHECK(forget_checksums());
  const Status done = cut_to(end, last, spot);
  if (!done) place_.health.take_offline("a truncation was left half done: " + place_.directory);
  return done;
}

// The part of a truncation that cannot be left half done: segment `last` is to be cut at `spot`, or ends
// below.
Status Log::cut_to(Offset end, std::size_t last, const std::optional<BatchSpot>& spot) {
  MILENA_CHECK(remove_segments_from(last + 1));
  MILENA_CHECK(sync_directory());
  MILENA_TRY(Segment * segment, usable(last));
  std::erase(open_sealed_, segment);
  if (spot) {
    MILENA_CHECK(segment->truncate(end, spot->position));
  } else if (segment->sealed()) {
    MILENA_CHECK(segment->reopen());
  }

  log_end_offset_ = end;
  high_watermark_ = std::min(high_watermark_, end);
  epochs_.truncate_from_end(end);
  MILENA_TRY(producers_, producers_at(end));
  producers_.on_high_watermark(high_watermark_);
  return {};
}

Status Log::truncate_fully_and_start_at(Offset offset, const TruncationPermit& permit, std::int64_t now_ms) {
  MILENA_CHECK(place_.health.check());
  MILENA_ASSERT(!flush_in_progress_, "a flush would write about records that go");
  MILENA_ASSERT(permit.offset() == 0, "on the way nothing may be left");
  read_ends_.forget();
  MILENA_CHECK(remove_snapshots_above(-1));
  MILENA_CHECK(forget_checksums());
  DeletionJob job(place_.fs);
  const Status done = restart_at(offset, now_ms, job);
  if (!done) place_.health.take_offline("a truncation was left half done: " + place_.directory);
  if (done) job.run();
  return done;
}

Status Log::restart_at(Offset offset, std::int64_t now_ms, DeletionJob& job) {
  for (std::size_t at = segments_.size(); at-- > 0;) MILENA_CHECK(rename_away(*segments_[at], job));
  segments_.clear();
  segments_.push_back(std::make_unique<Segment>(place_, offset, now_ms));
  log_start_offset_ = log_end_offset_ = high_watermark_ = recovery_point_ = offset;
  epochs_.clear();
  producers_.clear();
  // The name of an empty file is what remembers the offset.
  MILENA_CHECK(active().create_file());
  return sync_directory();
}

Status Log::advance_log_start(Offset offset) {
  MILENA_CHECK(place_.health.check());
  if (offset > high_watermark_) return fail(ErrorCode::kOffsetOutOfRange, "above the high watermark");
  if (offset <= log_start_offset_) return {};
  log_start_offset_ = offset;
  epochs_.truncate_from_start(offset);
  return {};
}

// How many segments at the front may go.
Result<std::size_t> Log::count_deletable(std::int64_t now_ms) {
  std::vector<RetentionSegment> segments;
  segments.reserve(segments_.size());
  for (std::size_t i = 0; i < segments_.size(); ++i)
    segments.push_back({segments_[i]->base_offset(), segment_end_offset(i), segments_[i]->size()});
  std::size_t count = segments_over_start_and_size(segments, log_start_offset_, high_watermark_, *config_);
  if (!config_->cleanup_delete || config_->retention_ms < 0) return count;
  for (; count < segments.size(); ++count) {
    if (!segments_[count]->knows_largest_timestamp()) MILENA_CHECK(usable(count));
    if (!is_over_age(segments[count], count + 1 == segments.size(), segments_[count]->retention_timestamp(),
                     high_watermark_, *config_, now_ms))
      break;
  }
  return count;
}

// What is about to be deleted is part of the producers' history: a snapshot at `offset` takes its place. One
// that is there is written again: it may never have reached the disk.
Status Log::ensure_snapshot(Offset offset) {
  const auto taken = std::ranges::find(unwritten_snapshots_, offset, &FlushJob::Snapshot::offset);
  std::vector<std::byte> bytes;
  if (taken != unwritten_snapshots_.end()) {
    bytes = taken->bytes;
  } else {
    MILENA_TRY(const ProducerState state, producers_at(offset));
    bytes = encode_producer_snapshot(state);
  }
  const std::string path = place_.path(offset, kSnapshotSuffix);
  auto written = write_synced(place_.fs, path, bytes);
  // Deleting is what helps a full disk; then a crash may cost the memory of producers that no record names.
  if (!written && is_disk_full(written.error())) return {};
  if (!written) return place_.health.fail(written.error(), path);
  if (taken != unwritten_snapshots_.end()) unwritten_snapshots_.erase(taken);
  if (!std::ranges::binary_search(snapshots_, offset))
    snapshots_.insert(std::ranges::lower_bound(snapshots_, offset), offset);
  return {};
}

Result<bool> Log::expire(std::int64_t now_ms) {
  MILENA_CHECK(place_.health.check());
  MILENA_TRY(const std::size_t count, count_deletable(now_ms));
  if (count == 0) return false;
  if (count == segments_.size()) MILENA_CHECK(roll_to(log_end_offset_, now_ms));
  // If it is empty, its name will be all that remembers the log end.
  if (active().size() == 0) MILENA_CHECK(active().create_file());
  MILENA_CHECK(ensure_snapshot(segments_[count]->base_offset()));
  MILENA_CHECK(advance_log_start(segments_[count]->base_offset()));
  return true;
}

Result<DeletionJob> Log::delete_expired() {
  MILENA_CHECK(place_.health.check());
  DeletionJob job(place_.fs);
  std::size_t count = 0;
  while (count + 1 < segments_.size() && segments_[count + 1]->base_offset() <= log_start_offset_) ++count;
  for (std::size_t i = 0; i < count; ++i) MILENA_CHECK(rename_away(*segments_[i], job));
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(count));
  const Offset first = segments_.front()->base_offset();
  std::erase_if(snapshots_, [&](Offset snapshot) {
    if (snapshot >= first) return false;
    job.paths_.push_back(place_.path(snapshot, kSnapshotSuffix));
    return true;
  });
  std::erase_if(unwritten_snapshots_, [&](const auto& snapshot) { return snapshot.offset < first; });
  return job;
}

Result<DeletionJob> Log::delete_old_segments(std::int64_t now_ms) {
  MILENA_TRY(const bool expired, expire(now_ms));
  if (!expired) return DeletionJob(place_.fs);
  return delete_expired();
}

}  // namespace milena::storage
