// Log: recovery after anything but a clean shutdown, and rebuilding what is derived from the records: the
// segments past the recovery point are scanned, a torn tail is dropped (R1, R2, R8, R11;
// docs/formats/segment.md).
#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "protocol/error_code.h"
#include "storage/batch_scanner.h"
#include "storage/log.h"
#include "storage/producer_batch.h"
#include "storage/producer_snapshot.h"
#include "storage/segment_names.h"
#include "storage/torn_tail.h"

namespace milena::storage {
namespace {

using Step = BatchScanner::Step;

// What the batch under the scanner means to the producers; reads its marker if it is a control batch.
IoResult<ProducerBatch> producer_batch_at(BatchScanner& scanner) {
  ProducerBatch out = producer_batch_of(scanner.header());
  if (!out.control) return out;
  MILENA_TRY(const auto whole, scanner.batch());
  if (whole) out.marker = read_marker(*whole);
  return out;
}

// Whether the batch may stand in a segment of this base offset where `next_offset` or a later one is due.
bool fits(const protocol::RecordBatchHeader& header, Offset next_offset, Offset segment_base) {
  return header.base_offset() >= next_offset &&
         header.last_offset() - segment_base <= std::numeric_limits<std::int32_t>::max();
}

// Whether a valid batch follows the one under the scanner, which scan() will take when it comes to it.
IoResult<bool> is_followed(const File& file, const BatchScanner& scanner, const Segment& segment) {
  BatchScanner next(file, scanner.next_position(), segment.size(), BatchScanner::kLookupBytes);
  MILENA_TRY(const auto step, next.next());
  if (step != Step::kBatch || !fits(next.header(), scanner.header().last_offset() + 1, segment.base_offset()))
    return false;
  return next.crc_matches();
}

}  // namespace

Status Log::recover(const LogOpenOptions& options) {
  const std::size_t first = segment_index_of(options.recovery_point);
  const Offset first_offset = segments_[first]->base_offset();
  log_end_offset_ = first_offset;
  for (std::size_t i = first; i < segments_.size(); ++i) {
    MILENA_CHECK(check_name_of(*segments_[i]));
    segments_[i]->close_file();
  }
  MILENA_TRY(const auto snapshot, latest_snapshot(first_offset));
  MILENA_TRY(producers_, producers_at(first_offset));
  epochs_.truncate_from_end(first_offset);
  for (std::size_t i = first; i < segments_.size(); ++i) {
    Segment& segment = *segments_[i];
    const bool is_last = i + 1 == segments_.size();
    const std::string path = place_.path(segment.base_offset(), kLogSuffix);
    const Offset start = log_end_offset_;
    const ProducerState producers_before = is_last ? ProducerState() : producers_;
    MILENA_TRY(Scan found, scan(segment, start, is_last));
    MILENA_TRY(const bool room, is_room(segment, found.valid_bytes));
    if (room) segment.set_size(found.valid_bytes);
    bool whole = found.valid_bytes == segment.size();
    const Offset next_base = is_last ? found.next_offset : segments_[i + 1]->base_offset();
    if (whole && next_base < found.next_offset)
      return place_.health.refuse("it overlaps the segment before it", place_.path(next_base, kLogSuffix));
    // What compaction has written has no room.
    const bool compacted_away =
        whole && !room && found.next_offset < options.recovery_point && config_->cleanup_compact;
    const bool joined = whole && (next_base == found.next_offset || compacted_away);
    if (!joined && !is_last) {
      // It will be the last one, and is read as such: or the next start would not believe what this one did.
      producers_ = producers_before;
      epochs_.truncate_from_end(start);
      MILENA_TRY(found, scan(segment, start, true));
      whole = found.valid_bytes == segment.size();
    }
    log_end_offset_ = found.next_offset;
    if (!joined) {
      if (log_end_offset_ < options.recovery_point)
        return place_.health.refuse("flushed records are damaged or missing", path);
      MILENA_TRY(const bool torn, is_torn_tail(i, found));
      if (!torn) return place_.health.refuse("a damaged batch lies before valid ones", path);
      recovery_.cut_bytes += segment.size() - found.valid_bytes;
      if (options.page_cache_is_intact && !is_last) {
        return place_.health.refuse(
            "it does not join the segment after it, whose records are there: it is damaged, or one is "
            "missing",
            path);
      }
      MILENA_CHECK(forget_checksums());
      MILENA_CHECK(set_aside_segments_from(i + 1));
      MILENA_CHECK(sync_directory());
      if (!whole) {
        // Durable at once: the next roll seals this segment, and then nobody looks for a torn tail in it
        // again.
        MILENA_CHECK(segment.cut_tail(found.valid_bytes));
      }
    }
    if (options.distrust_page_cache) MILENA_CHECK(write_again(segment, options.recovery_point));
    segment.set_needs_sync(segment.size() > 0);
    if (i + 1 < segments_.size()) {
      MILENA_CHECK(segment.seal());
      segment.release(true);  // there may be more segments than descriptors
    } else if (room && log_end_offset_ <= options.recovery_point) {
      // No flush has to follow before a roll, after which nobody looks for room in this segment again.
      MILENA_CHECK(segment.cut_tail(segment.size()));
    } else {
      MILENA_CHECK(segment.cut_room());
    }
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
  for (bool jumped = false;;) {
    const auto step = scanner.next();
    if (!step) return place_.health.fail(step.error(), path);
    if (*step != Step::kBatch) return found;
    const Offset base = scanner.header().base_offset();
    if (!fits(scanner.header(), found.next_offset, segment.base_offset())) return found;
    const auto valid = scanner.crc_matches();
    if (!valid) return place_.health.fail(valid.error(), path);
    if (!*valid) return found;
    const bool jumped_before = std::exchange(jumped, base > found.next_offset);
    if (jumped && !jumped_before && is_last && !config_->cleanup_compact) {
      // Offsets lie outside the checksum, and only compaction leaves gaps: a jump at the very end is not
      // believed. What follows a jump is, whether or not it jumps too.
      const auto followed = is_followed(*file, scanner, segment);
      if (!followed) return place_.health.fail(followed.error(), path);
      if (!*followed) return found;
    }

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

// Whether everything in the file from `start` on is zeros: room for records that were never written.
Result<bool> Log::is_room(Segment& segment, std::uint32_t start) {
  if (start == segment.size()) return false;
  MILENA_TRY(const auto file, segment.file());
  const auto zeros = holds_only_zeros(*file, start, segment.size());
  if (!zeros) return place_.health.fail(zeros.error(), place_.path(segment.base_offset(), kLogSuffix));
  return *zeros;
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
  const auto newer = holds_newer_batch(*file, start, size);
  if (!newer) return failed(newer.error());
  if (*newer) {
    return place_.health.refuse("a batch was written by a newer version: start that one",
                                place_.path(segment.base_offset(), kLogSuffix));
  }
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
      segments_[later]->close_file();
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
      return place_.health.refuse("a sealed segment is damaged", path);
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

// Outside of any flush: what is lost of it by a crash is rebuilt again. On a full disk the indexes stay in
// memory only, so that reads go on.
Status Log::write_indexes(Segment& segment) {
  FlushJob job(place_.fs, place_.health);
  job.directory_ = place_.directory;
  job.retired_ = retired_;
  job.sealed_.push_back({segment.base_offset(), segment.size(), segment.share_indexes(), {}});
  job.known_checksums_ = known_checksums();
  if (!job.run(FlushJob::Sync::kLater)) {
    MILENA_CHECK(place_.health.check());
    return segment.discard_index_files();
  }
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
    if (is_newer_producer_snapshot(*bytes))
      return place_.health.refuse("it was written by a newer version: start that one", path);
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
    const bool was_open = segment.open_file() != nullptr;
    MILENA_TRY(const auto file, segment.file());
    BatchScanner scanner(*file, 0, segment.size(), BatchScanner::kLookupBytes);
    for (;;) {
      const auto step = scanner.next();
      if (!step) return place_.health.fail(step.error(), path);
      if (*step == Step::kBroken) return place_.health.refuse("flushed records are damaged", path);
      if (*step == Step::kEnd || scanner.header().base_offset() >= until) break;
      if (!scanner.header().has_producer_id() || scanner.header().base_offset() < from) continue;
      const auto batch = producer_batch_at(scanner);
      if (!batch) return place_.health.fail(batch.error(), path);
      MILENA_CHECK(state.stage(*batch, AppendOrigin::kReplication, 0));
      state.commit(aborted);
    }
    if (!was_open) segment.close_file();
    aborted.clear();
  }
  return {};
}

}  // namespace milena::storage
