// Log: opening. After a clean shutdown almost nothing is read; otherwise the segments past the recovery point
// are scanned, a torn tail is dropped, and everything derived is rebuilt (R1-R6, R8, R11;
// docs/formats/segment.md).
#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "protocol/error_code.h"
#include "storage/batch_scanner.h"
#include "storage/leftovers.h"
#include "storage/log.h"
#include "storage/producer_batch.h"
#include "storage/producer_snapshot.h"
#include "storage/segment_names.h"
#include "storage/torn_tail.h"

namespace milena::storage {
namespace {

using Step = BatchScanner::Step;

std::unexpected<Error> refuse(const char* why) { return fail(ErrorCode::kKafkaStorageError, why); }

bool is_index_suffix(std::string_view suffix) {
  return suffix == kOffsetIndexSuffix || suffix == kTimeIndexSuffix || suffix == kTxnIndexSuffix;
}

// What the batch under the scanner means to the producers; reads its marker if it is a control batch.
IoResult<ProducerBatch> producer_batch_at(BatchScanner& scanner) {
  ProducerBatch out = producer_batch_of(scanner.header());
  if (!out.control) return out;
  MILENA_TRY(const auto whole, scanner.batch());
  if (whole) out.marker = read_marker(*whole);
  return out;
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(Fs& fs, DirectoryHealth& health, LogOpenOptions options) {
  MILENA_CHECK(health.check());
  std::unique_ptr<Log> log(new Log(fs, health, options));
  MILENA_CHECK(log->load(options));
  return log;
}

Status Log::load(const LogOpenOptions& options) {
  if (!place_.fs.exists(place_.directory)) {
    if (const auto made = place_.fs.make_directories(place_.directory); !made)
      return place_.health.fail(made.error(), place_.directory);
  }
  const auto entries = place_.fs.list(place_.directory);
  if (!entries) return place_.health.fail(entries.error(), place_.directory);
  std::vector<std::string> names;
  for (const DirEntry& entry : *entries)
    if (!entry.is_directory) names.push_back(entry.name);
  MILENA_TRY(const bool resolved, resolve_leftovers(place_, names));
  directory_dirty_ = directory_dirty_ || resolved;
  MILENA_CHECK(find_segments(options, names));

  const auto epochs = read_file(place_.fs, join(place_.directory, kEpochCheckpointName));
  if (!epochs && epochs.error().code != ENOENT && epochs.error().code != EFBIG)
    return place_.health.fail(epochs.error(), place_.directory);
  const bool epochs_read = epochs && epochs_.decode(as_text(*epochs));

  if (options.clean) MILENA_CHECK(load_clean());
  // A clean shutdown leaves the recovery point at the end; any other one is not to be relied on.
  if (!options.clean || log_end_offset_ != options.recovery_point) MILENA_CHECK(recover(options));
  if (log_end_offset_ < options.recovery_point) return refuse("flushed records are missing at the end");
  MILENA_CHECK(settle_start(options));
  epochs_.truncate_from_end(log_end_offset_);
  epochs_.truncate_from_start(log_start_offset_);
  MILENA_TRY(const bool agree, epochs_agree());
  if (!epochs_read || !agree) MILENA_CHECK(rebuild_epochs());
  MILENA_CHECK(settle_snapshots());
  high_watermark_ = std::clamp(options.high_watermark, log_start_offset_, log_end_offset_);
  producers_.on_high_watermark(high_watermark_);
  if (directory_dirty_) MILENA_CHECK(sync_directory());
  // Files that the last process made may have no durable names yet; the first flush sees to it.
  directory_dirty_ = parent_dirty_ = parent_dirty_ || !options.clean;
  for (const auto& segment : segments_) segment->release(true);
  return {};
}

// Makes the segments of what lies in the directory, and removes derived files whose records are gone.
Status Log::find_segments(const LogOpenOptions& options, std::vector<std::string>& names) {
  std::vector<Offset> with_aborted;
  for (const std::string& name : names) {
    const auto parsed = parse_segment_file_name(name);
    if (!parsed) continue;
    if (parsed->suffix == kSnapshotSuffix) snapshots_.push_back(parsed->base_offset);
    if (parsed->suffix == kTxnIndexSuffix) with_aborted.push_back(parsed->base_offset);
    if (parsed->suffix != kLogSuffix) continue;
    const std::string path = join(place_.directory, name);
    const auto file = place_.fs.open(path, OpenMode::kRead);
    const auto size = file ? (*file)->size() : IoResult<std::uint64_t>(std::unexpected(file.error()));
    if (!size) return place_.health.fail(size.error(), path);
    if (*size > std::numeric_limits<std::int32_t>::max()) return refuse("a segment is larger than 2 GiB");
    segments_.push_back(std::make_unique<Segment>(place_, parsed->base_offset,
                                                  static_cast<std::uint32_t>(*size), options.now_ms));
  }
  std::ranges::sort(snapshots_);
  std::ranges::sort(segments_, {}, [](const auto& segment) { return segment->base_offset(); });
  const auto segment_at = [&](Offset base_offset) -> Segment* {
    const auto at = std::ranges::lower_bound(segments_, base_offset, {},
                                             [](const auto& segment) { return segment->base_offset(); });
    return at != segments_.end() && (*at)->base_offset() == base_offset ? at->get() : nullptr;
  };
  for (const Offset base_offset : with_aborted)
    if (Segment* segment = segment_at(base_offset)) segment->set_may_have_aborted(true);
  for (const std::string& name : names) {
    const auto parsed = parse_segment_file_name(name);
    if (!parsed || !is_index_suffix(parsed->suffix) || segment_at(parsed->base_offset)) continue;
    const std::string path = join(place_.directory, name);
    if (const auto removed = place_.fs.remove(path); !removed)
      return place_.health.fail(removed.error(), path);
    directory_dirty_ = true;
  }

  MILENA_CHECK(load_checksums(options.recovery_point));
  if (!segments_.empty()) return drop_snapshots_below(segments_.front()->base_offset());
  parent_dirty_ = true;
  segments_.push_back(std::make_unique<Segment>(place_, log_start_offset_, options.now_ms));
  return log_start_offset_ > 0 ? active().create_file() : Status{};
}

// Between such a snapshot and the first record lie records that are gone: nothing could be replayed onto it.
Status Log::drop_snapshots_below(Offset offset) {
  while (!snapshots_.empty() && snapshots_.front() < offset) {
    const std::string path = place_.path(snapshots_.front(), kSnapshotSuffix);
    if (const auto removed = place_.fs.remove(path); !removed)
      return place_.health.fail(removed.error(), path);
    snapshots_.erase(snapshots_.begin());
  }
  return {};
}

Status Log::load_checksums(Offset recovery_point) {
  const std::string path = join(place_.directory, kIndexChecksumsName);
  const auto text = read_file(place_.fs, path);
  if (!text && text.error().code == ENOENT) return {};  // Kafka wrote this log
  if (!text && text.error().code != EFBIG) return place_.health.fail(text.error(), path);
  const auto decoded = text ? decode_index_checksums(as_text(*text)) : std::nullopt;
  const auto known = decoded.value_or(std::vector<SegmentChecksums>{});
  MILENA_CHECK(check_sealed(known, recovery_point));
  for (const auto& segment : segments_) {
    const auto entry =
        std::ranges::lower_bound(known, segment->base_offset(), {}, &SegmentChecksums::base_offset);
    if (entry == known.end() || entry->base_offset != segment->base_offset() ||
        entry->size != segment->size()) {
      segment->distrust_index_files();
      continue;
    }
    segment->set_checksums(entry->checksums);
    segment->set_may_have_aborted(entry->checksums.aborted != 0);
  }
  return {};
}

// Segments that were sealed and flushed must still be there, at their size. Not so when compaction may have
// replaced them, or retention has deleted them from the front. A truncation removes the file of checksums
// first.
Status Log::check_sealed(const std::vector<SegmentChecksums>& known, Offset recovery_point) const {
  if (config_->cleanup_compact) return {};
  for (std::size_t i = 0; i + 1 < known.size() && known[i + 1].base_offset <= recovery_point; ++i) {
    const auto at = std::ranges::lower_bound(segments_, known[i].base_offset, {},
                                             [](const auto& segment) { return segment->base_offset(); });
    const bool there = at != segments_.end() && (*at)->base_offset() == known[i].base_offset;
    if (!there && at == segments_.begin()) continue;
    if (!there) return refuse("a flushed segment is missing");
    if ((*at)->size() < known[i].size) return refuse("a flushed segment is shorter than it was");
  }
  return {};
}

Status Log::load_clean() {
  const std::size_t last = segments_.size() - 1;
  if (active().sealed()) {
    MILENA_TRY(Segment * segment, usable(last));
    MILENA_TRY(const auto batch, last_batch(last));
    log_end_offset_ = batch ? batch->last_offset + 1 : segment->base_offset();
    std::erase(open_sealed_, segment);
    MILENA_CHECK(segment->reopen());
  }
  recovery_point_ = log_end_offset_;
  MILENA_TRY(producers_, producers_at(log_end_offset_));
  return {};
}

Status Log::recover(const LogOpenOptions& options) {
  const std::size_t first = segment_index_of(options.recovery_point);
  const Offset first_offset = segments_[first]->base_offset();
  log_end_offset_ = first_offset;
  MILENA_TRY(const auto snapshot, latest_snapshot(first_offset));
  MILENA_TRY(producers_, producers_at(first_offset));
  epochs_.truncate_from_end(first_offset);
  for (std::size_t i = first; i < segments_.size(); ++i) {
    Segment& segment = *segments_[i];
    const bool is_last = i + 1 == segments_.size();
    MILENA_TRY(const Scan found, scan(segment, log_end_offset_, is_last));
    log_end_offset_ = std::max(found.next_offset, segment.base_offset());
    const bool whole = found.valid_bytes == segment.size();
    const Offset next_base = is_last ? log_end_offset_ : segments_[i + 1]->base_offset();
    if (whole && next_base < log_end_offset_) return refuse("segments overlap");
    const bool flushed = log_end_offset_ < options.recovery_point;
    const bool compacted_away = whole && flushed && config_->cleanup_compact;
    if (!whole || (next_base != log_end_offset_ && !compacted_away)) {
      if (flushed) return refuse("flushed records are damaged or missing");
      MILENA_TRY(const bool torn, is_torn_tail(i, found));
      if (!torn) return refuse("a damaged batch lies before valid ones");
      MILENA_CHECK(remove_segments_from(i + 1));
      MILENA_CHECK(sync_directory());
      if (!whole) {
        segment.set_size(found.valid_bytes);
        MILENA_TRY(const auto file, segment.file());
        const std::string path = place_.path(segment.base_offset(), kLogSuffix);
        // Durable at once: the next roll seals this segment, and then nobody looks for a torn tail in it
        // again.
        if (const auto cut = file->truncate(found.valid_bytes); !cut)
          return place_.health.fail(cut.error(), path);
        if (const auto synced = file->sync(); !synced) return place_.health.fail(synced.error(), path);
      }
    }
    if (options.distrust_page_cache) MILENA_CHECK(write_again(segment, options.recovery_point));
    segment.set_needs_sync(segment.size() > 0);
    if (i + 1 < segments_.size()) MILENA_CHECK(segment.seal());
  }
  recovery_point_ = std::min(options.recovery_point, log_end_offset_);
  if (!snapshot && segments_.front()->base_offset() > 0) {
    // The log has lost its beginning, and the snapshot of it. A later one may still know the producers.
    MILENA_TRY(producers_, producers_at(log_end_offset_));
  }
  return active().sealed() ? active().reopen() : Status{};
}

// Reads the whole segment, checksums included, up to the first thing that is not a valid batch, and rebuilds
// its indexes; epochs and producers follow.
Result<Log::Scan> Log::scan(Segment& segment, Offset first_offset, bool is_last) {
  Scan found{.next_offset = std::max(first_offset, segment.base_offset())};
  MILENA_CHECK(segment.discard_index_files());
  segment.reset_indexes();
  if (segment.size() == 0) return found;
  const std::string path = place_.path(segment.base_offset(), kLogSuffix);
  MILENA_TRY(const auto file, segment.file());
  BatchScanner scanner(*file, 0, segment.size(), BatchScanner::kWalkBytes);
  for (;;) {
    const auto step = scanner.next();
    if (!step) return place_.health.fail(step.error(), path);
    if (*step != Step::kBatch) return found;
    const Offset base = scanner.header().base_offset();
    const bool fits = base >= found.next_offset && scanner.header().last_offset() - segment.base_offset() <=
                                                       std::numeric_limits<std::int32_t>::max();
    if (!fits) return found;
    // Offsets lie outside the checksum, and only compaction leaves gaps. A batch that comes after one is
    // believed if another batch follows on it.
    const bool alone = is_last && scanner.next_position() == segment.size();
    if (base > found.next_offset && alone && !config_->cleanup_compact) return found;
    const auto valid = scanner.crc_matches();
    if (!valid) return place_.health.fail(valid.error(), path);
    if (!*valid) return found;

    segment.note_batch(scanner.header(), static_cast<std::uint32_t>(scanner.position()),
                       config_->index_interval_bytes);
    const LeaderEpoch epoch = scanner.header().partition_leader_epoch();
    if (epoch > epochs_.latest()) epochs_.assign(epoch, base);
    found.next_offset = scanner.header().last_offset() + 1;
    found.valid_bytes = static_cast<std::uint32_t>(scanner.next_position());
    if (!scanner.header().has_producer_id()) continue;
    const auto batch = producer_batch_at(scanner);
    if (!batch) return place_.health.fail(batch.error(), path);
    newly_aborted_.clear();
    MILENA_CHECK(producers_.stage(*batch, AppendOrigin::kReplication, 0));
    producers_.commit(newly_aborted_);
    for (const AbortedTransaction& txn : newly_aborted_) segment.note_aborted(txn);
  }
}

// Segment i is valid up to `scan` only, or the next one does not join. Whether that is what a crash leaves.
Result<bool> Log::is_torn_tail(std::size_t i, const Scan& scan) {
  Segment& segment = *segments_[i];
  const std::uint64_t start = scan.valid_bytes;
  const std::uint64_t size = segment.size();
  // The end of the file is missing: only a crash does that.
  if (start == size) return true;
  const auto failed = [&](const IoError& error) {
    return place_.health.fail(error, place_.path(segment.base_offset(), kLogSuffix));
  };
  MILENA_TRY(const auto file, segment.file());
  std::array<std::byte, protocol::kBatchHeaderBytes> head;
  const auto got = file->read_at(start, head);
  if (!got) return failed(got.error());
  const auto header = protocol::RecordBatchHeader::parse(BytesView(head).first(*got));
  // A batch that is whole but lies below what came before it counts as one that follows.
  const bool below = header && header->base_offset() < scan.next_offset;
  auto follows = holds_valid_batch(*file, below ? start : start + 1, size, segment.base_offset());
  if (!follows) return failed(follows.error());
  const std::uint64_t end = start + (header ? header->size_in_bytes() : head.size());
  if (!*follows) {
    if (end > size) return true;
    for (std::size_t later = i + 1; !*follows && later < segments_.size(); ++later) {
      MILENA_TRY(const auto later_file, segments_[later]->file());
      follows = holds_valid_batch(*later_file, 0, segments_[later]->size(), segments_[later]->base_offset());
      if (!follows) return failed(follows.error());
    }
    if (!*follows) return true;
  }
  const auto lost = holds_lost_sector(*file, start, std::min(end, size), size);
  if (!lost) return failed(lost.error());
  return *lost;
}

// After a failed fsync the page cache may hold bytes the disk does not, as if they were clean (R8). Writing
// the same bytes again makes them dirty, so that the next flush means what it says.
Status Log::write_again(Segment& segment, Offset from) {
  MILENA_TRY(const auto spot, segment.locate(from));
  if (!spot) return {};
  const std::string path = place_.path(segment.base_offset(), kLogSuffix);
  MILENA_TRY(const auto file, segment.file());
  std::vector<std::byte> buffer(BatchScanner::kWalkBytes);
  for (std::uint64_t at = spot->position; at < segment.size();) {
    const std::size_t want = std::min<std::uint64_t>(buffer.size(), segment.size() - at);
    const auto got = file->read_at(at, MutableBytes(buffer).first(want));
    if (!got) return place_.health.fail(got.error(), path);
    if (*got == 0) return {};
    const auto written = file->write_at(at, BytesView(buffer).first(*got));
    if (!written) return place_.health.fail(written.error(), path);
    at += *got;
  }
  return {};
}

// The checkpointed log start may lie above all that is left: its records were deleted, the tail was lost.
Status Log::settle_start(const LogOpenOptions& options) {
  log_start_offset_ = std::max(options.log_start_offset, segments_.front()->base_offset());
  if (log_start_offset_ <= log_end_offset_) return {};
  MILENA_CHECK(remove_snapshots_above(-1));
  MILENA_CHECK(remove_segments_from(0));
  segments_.push_back(std::make_unique<Segment>(place_, log_start_offset_, options.now_ms));
  MILENA_CHECK(active().create_file());
  directory_dirty_ = true;
  log_end_offset_ = log_start_offset_;
  epochs_.clear();
  producers_.clear();
  return {};
}

// Snapshots of records that are gone would be believed once the log reaches their offset again. Others that
// belong to no segment are only clutter, but for the last one, which a clean shutdown left.
Status Log::settle_snapshots() {
  MILENA_CHECK(remove_snapshots_above(log_end_offset_));
  std::vector<Offset> kept;
  for (std::size_t i = 0; i < snapshots_.size(); ++i) {
    const Offset offset = snapshots_[i];
    const bool at_segment = segments_[segment_index_of(offset)]->base_offset() == offset;
    if (at_segment || i + 1 == snapshots_.size()) {
      kept.push_back(offset);
      continue;
    }
    const std::string path = place_.path(offset, kSnapshotSuffix);
    if (const auto removed = place_.fs.remove(path); !removed)
      return place_.health.fail(removed.error(), path);
  }
  snapshots_ = std::move(kept);
  return {};
}

// Rebuilds the indexes of a sealed segment from its records, in memory and on disk.
Status Log::rebuild_indexes(std::size_t i) {
  Segment& segment = *segments_[i];
  const std::string path = place_.path(segment.base_offset(), kLogSuffix);
  MILENA_TRY(ProducerState producers, producers_at(segment.base_offset()));
  MILENA_TRY(const auto file, segment.file());
  segment.reset_indexes();
  BatchScanner scanner(*file, 0, segment.size(), BatchScanner::kWalkBytes);
  std::vector<AbortedTransaction> aborted;
  for (;;) {
    const auto step = scanner.next();
    if (!step) return place_.health.fail(step.error(), path);
    if (*step == Step::kEnd) break;
    const auto valid = *step == Step::kBatch ? scanner.crc_matches() : false;
    if (!valid) return place_.health.fail(valid.error(), path);
    if (!*valid || scanner.header().base_offset() < segment.base_offset() ||
        scanner.header().last_offset() - segment.base_offset() > std::numeric_limits<std::int32_t>::max())
      return refuse("a sealed segment is damaged");
    segment.note_batch(scanner.header(), static_cast<std::uint32_t>(scanner.position()),
                       config_->index_interval_bytes);
    if (!scanner.header().has_producer_id()) continue;
    const auto batch = producer_batch_at(scanner);
    if (!batch) return place_.health.fail(batch.error(), path);
    MILENA_CHECK(producers.stage(*batch, AppendOrigin::kReplication, 0));
    producers.commit(aborted);
  }
  for (const AbortedTransaction& txn : aborted) segment.note_aborted(txn);
  MILENA_CHECK(segment.seal());
  return write_indexes(segment);
}

// Outside of any flush: what is lost of it by a crash is rebuilt again.
Status Log::write_indexes(Segment& segment) {
  FlushJob job(place_.fs, place_.health);
  job.directory_ = place_.directory;
  job.retired_ = retired_;
  job.sealed_.push_back({segment.base_offset(), segment.size(), segment.share_indexes(), {}});
  job.known_checksums_ = known_checksums();
  MILENA_CHECK(job.run(FlushJob::Sync::kLater));
  segment.set_indexes_on_disk(true);
  segment.set_checksums(job.sealed_.front().checksums);
  return {};
}

// The closest snapshot at or below `offset` that can be read.
Result<std::optional<Log::SnapshotState>> Log::latest_snapshot(Offset offset) {
  for (std::size_t i = snapshots_.size(); i-- > 0;) {
    if (snapshots_[i] > offset) continue;
    const std::string path = place_.path(snapshots_[i], kSnapshotSuffix);
    const auto bytes = read_file(place_.fs, path, 1 << 30);
    if (!bytes && bytes.error().code == ENOENT) continue;
    if (!bytes) return place_.health.fail(bytes.error(), path);
    if (auto state = decode_producer_snapshot(*bytes)) return SnapshotState{snapshots_[i], std::move(*state)};
  }
  return std::nullopt;
}

// The producers as of `offset`: a snapshot and the records after it, or all records there are.
Result<ProducerState> Log::producers_at(Offset offset) {
  MILENA_TRY(auto snapshot, latest_snapshot(offset));
  SnapshotState from = snapshot ? std::move(*snapshot) : SnapshotState{};
  MILENA_CHECK(replay_producers(from.state, from.offset, offset));
  return std::move(from.state);
}

Status Log::replay_producers(ProducerState& state, Offset from, Offset until) {
  std::vector<AbortedTransaction> aborted;
  for (std::size_t i = segment_index_of(from); i < segments_.size(); ++i) {
    Segment& segment = *segments_[i];
    if (segment.base_offset() >= until) break;
    if (segment.size() == 0) continue;
    const std::string path = place_.path(segment.base_offset(), kLogSuffix);
    MILENA_TRY(const auto file, segment.file());
    BatchScanner scanner(*file, 0, segment.size(), BatchScanner::kLookupBytes);
    for (;;) {
      const auto step = scanner.next();
      if (!step) return place_.health.fail(step.error(), path);
      if (*step == Step::kBroken) return refuse("flushed records are damaged");
      if (*step == Step::kEnd || scanner.header().base_offset() >= until) break;
      if (!scanner.header().has_producer_id() || scanner.header().base_offset() < from) continue;
      const auto batch = producer_batch_at(scanner);
      if (!batch) return place_.health.fail(batch.error(), path);
      MILENA_CHECK(state.stage(*batch, AppendOrigin::kReplication, 0));
      state.commit(aborted);
    }
    aborted.clear();
  }
  return {};
}

// Whether the epochs that were read are those of the records: the file carries no checksum.
Result<bool> Log::epochs_agree() {
  for (const EpochCache::Entry& entry : epochs_.entries()) {
    const Offset start = entry.start_offset;
    MILENA_TRY(const auto spot, locate(segment_index_of(start), start));
    if (!spot) continue;
    const bool same =
        config_->cleanup_compact ? spot->leader_epoch >= entry.epoch : spot->leader_epoch == entry.epoch;
    if (!same) return false;
    if (start <= log_start_offset_) continue;
    MILENA_TRY(const auto previous, locate(segment_index_of(start - 1), start - 1));
    if (!previous || previous->base_offset >= start) continue;  // compaction left a gap there
    if (previous->last_offset >= start || previous->leader_epoch >= entry.epoch) return false;
  }
  // And no epoch is missing at the end.
  if (log_end_offset_ == segments_.front()->base_offset()) return true;
  const Offset last = log_end_offset_ - 1;
  MILENA_TRY(const auto spot, locate(segment_index_of(last), last));
  return !spot || spot->leader_epoch == epochs_.latest();
}

Status Log::rebuild_epochs() {
  epochs_.clear();
  for (const auto& segment : segments_) {
    if (segment->size() == 0) continue;
    const std::string path = place_.path(segment->base_offset(), kLogSuffix);
    MILENA_TRY(const auto file, segment->file());
    BatchScanner scanner(*file, 0, segment->size(), BatchScanner::kLookupBytes);
    for (;;) {
      const auto step = scanner.next();
      if (!step) return place_.health.fail(step.error(), path);
      if (*step == Step::kBroken) return refuse("flushed records are damaged");
      if (*step == Step::kEnd) break;
      const LeaderEpoch epoch = scanner.header().partition_leader_epoch();
      if (epoch > epochs_.latest()) epochs_.assign(epoch, scanner.header().base_offset());
    }
  }
  epochs_.truncate_from_start(log_start_offset_);
  return {};
}

}  // namespace milena::storage
