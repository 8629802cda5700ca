// Log: opening. Finds out what lies in the directory, recovers it unless it was closed cleanly
// (log_recovery.cc), and holds what is read beside the records against them (R3, R4, R6).
#include <algorithm>
#include <cerrno>
#include <limits>

#include "protocol/error_code.h"
#include "storage/batch_scanner.h"
#include "storage/checkpoint_text.h"
#include "storage/leftovers.h"
#include "storage/log.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

using Step = BatchScanner::Step;

constexpr const char* kNewerVersion = "it was written by a newer version: start that one";
constexpr const char* kMissingAtTheEnd =
    "records are missing at its end. Put them back, or adopt what is there (milena verify --adopt)";
constexpr const char* kDanglingLink = "it is a link to nothing";  // listed, but not there

bool is_index_suffix(std::string_view suffix) {
  return suffix == kOffsetIndexSuffix || suffix == kTimeIndexSuffix || suffix == kTxnIndexSuffix;
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(Fs& fs, DirectoryHealth& health, const LogOpenOptions& options) {
  MILENA_CHECK(health.check());
  std::unique_ptr<Log> log(new Log(fs, health, options));
  MILENA_CHECK(log->load(options));
  return log;
}

// The names of the files in the directory, sorted; it is made when missing.
Result<std::vector<std::string>> Log::list_files() {
  auto entries = place_.fs.list(place_.directory);
  if (!entries && entries.error().code == ENOENT) {
    if (const auto made = place_.fs.make_directories(place_.directory); !made)
      return place_.health.fail(made.error(), place_.directory);
    entries.emplace();
  }
  if (!entries) return place_.health.fail(entries.error(), place_.directory);
  std::vector<std::string> names;
  for (DirEntry& entry : *entries) {
    if (!entry.is_directory) {
      names.push_back(std::move(entry.name));
    } else if (is_partition_file_name(entry.name)) {
      return place_.health.refuse("a directory has the name of a file", join(place_.directory, entry.name));
    }
  }
  return names;
}

// One of the small files beside the segments; none when `names` does not have it, or it is too large to be
// it.
Result<std::optional<std::vector<std::byte>>> Log::read_listed(const std::vector<std::string>& names,
                                                               std::string_view name) {
  if (!std::ranges::binary_search(names, name)) return std::nullopt;
  const std::string path = join(place_.directory, name);
  auto bytes = read_file(place_.fs, path);
  if (!bytes && bytes.error().code == EFBIG) return std::vector<std::byte>{};
  if (!bytes && bytes.error().code == ENOENT) return place_.health.refuse(kDanglingLink, path);
  if (!bytes) return place_.health.fail(bytes.error(), path);
  return std::move(*bytes);
}

// A system call for each file that might be there would make up most of the time it takes to open thousands
// of logs: only what the listing shows is opened.
Status Log::load(const LogOpenOptions& options) {
  MILENA_TRY(auto names, list_files());
  MILENA_TRY(const bool resolved, resolve_leftovers(place_, names));
  directory_dirty_ = directory_dirty_ || resolved;
  MILENA_CHECK(find_segments(options, names));

  MILENA_TRY(const auto epochs, read_listed(names, kEpochCheckpointName));
  if (epochs && is_newer_checkpoint(as_text(*epochs)))
    return place_.health.refuse(kNewerVersion, join(place_.directory, kEpochCheckpointName));
  const bool epochs_read = epochs && epochs_.decode(as_text(*epochs));

  if (options.clean) MILENA_CHECK(load_clean());
  // A clean shutdown leaves the recovery point at the end; any other one is not to be relied on.
  if (!options.clean || log_end_offset_ != options.recovery_point) MILENA_CHECK(recover(options));
  if (log_end_offset_ < options.recovery_point)
    return place_.health.refuse(kMissingAtTheEnd, place_.path(active().base_offset(), kLogSuffix));
  if (options.page_cache_is_intact && log_end_offset_ < options.high_watermark) {
    return place_.health.refuse(kMissingAtTheEnd, place_.path(active().base_offset(), kLogSuffix));
  }
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
    if (!file && file.error().code == ENOENT) return place_.health.refuse(kDanglingLink, path);
    const auto size = file ? (*file)->size() : IoResult<std::uint64_t>(std::unexpected(file.error()));
    if (!size) return place_.health.fail(size.error(), path);
    if (*size > std::numeric_limits<std::int32_t>::max())
      return place_.health.refuse("a segment is larger than 2 GiB", path);
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

  MILENA_CHECK(load_checksums(names, options.recovery_point));
  if (!segments_.empty()) return drop_snapshots_below(segments_.front()->base_offset());
  parent_dirty_ = true;
  segments_.push_back(std::make_unique<Segment>(place_, log_start_offset_, options.now_ms));
  return log_start_offset_ > 0 ? active().create_file() : Status{};
}

Status Log::load_checksums(const std::vector<std::string>& names, Offset recovery_point) {
  MILENA_TRY(const auto text, read_listed(names, kIndexChecksumsName));
  if (!text) return {};  // Kafka wrote this log
  if (is_newer_checkpoint(as_text(*text)))
    return place_.health.refuse(kNewerVersion, join(place_.directory, kIndexChecksumsName));
  const auto known = decode_index_checksums(as_text(*text)).value_or(std::vector<SegmentChecksums>{});
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

// A crash leaves no whole batch below the offset that its segment is named after: somebody renamed the file.
Status Log::check_name_of(Segment& segment) const {
  if (segment.size() < protocol::kBatchHeaderBytes) return {};
  const std::string path = place_.path(segment.base_offset(), kLogSuffix);
  MILENA_TRY(const auto file, segment.file());
  BatchScanner scanner(*file, 0, segment.size(), BatchScanner::kLookupBytes);
  const auto step = scanner.next();
  if (!step) return place_.health.fail(step.error(), path);
  if (*step != Step::kBatch || scanner.header().base_offset() >= segment.base_offset()) return {};
  const auto valid = scanner.crc_matches();
  if (!valid) return place_.health.fail(valid.error(), path);
  if (!*valid) return {};
  return place_.health.refuse("its first record has a lower offset than its name: was it renamed?", path);
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
    const std::string path = place_.path(known[i].base_offset, kLogSuffix);
    if (!there) return place_.health.refuse("a flushed segment is missing", path);
    if ((*at)->size() < known[i].size)
      return place_.health.refuse("a flushed segment is shorter than it was", path);
  }
  return {};
}

Status Log::load_clean() {
  const std::size_t last = segments_.size() - 1;
  MILENA_CHECK(check_name_of(active()));
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

// The checkpointed log start may lie above all that is left: its records were deleted, the tail was lost.
Status Log::settle_start(const LogOpenOptions& options) {
  const Offset first = segments_.front()->base_offset();
  if (options.log_start_is_exact && first > options.log_start_offset) {
    return place_.health.refuse(
        "the first segments are missing. Put them back, or adopt what is there (milena verify --adopt)",
        place_.path(options.log_start_offset, kLogSuffix));
  }
  recovery_.starts_late = first > options.log_start_offset;
  log_start_offset_ = std::max(options.log_start_offset, first);
  if (log_start_offset_ <= log_end_offset_) return {};
  if (options.clean) {
    return place_.health.refuse(
        "log-start-offset-checkpoint puts the start above the end of the records, though the log was closed "
        "cleanly: remove the partition's line from it, or put the records back",
        place_.path(segments_.front()->base_offset(), kLogSuffix));
  }
  recovery_.has_lost_its_tail = true;
  MILENA_CHECK(remove_snapshots_above(-1));
  MILENA_CHECK(forget_checksums());
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
      if (*step == Step::kBroken) return place_.health.refuse("flushed records are damaged", path);
      if (*step == Step::kEnd) break;
      const LeaderEpoch epoch = scanner.header().partition_leader_epoch();
      if (epoch > epochs_.latest()) epochs_.assign(epoch, scanner.header().base_offset());
    }
    segment->close_file();
  }
  epochs_.truncate_from_start(log_start_offset_);
  return {};
}

}  // namespace milena::storage
