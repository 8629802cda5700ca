// Log: look-ups by offset, timestamp and epoch. Nothing here changes the log.
#include <algorithm>
#include <limits>
#include <utility>

#include "protocol/error_code.h"
#include "protocol/record_batch_records.h"
#include "storage/batch_scanner.h"
#include "storage/log.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

constexpr std::size_t kOpenSealedMax = 4;

}  // namespace

// The segment that holds `offset`, or would; the first one for offsets below all of them.
std::size_t Log::segment_index_of(Offset offset) const {
  // Readers are mostly at the end.
  if (offset >= active().base_offset()) return segments_.size() - 1;
  const auto next = std::ranges::upper_bound(segments_, offset, {},
                                             [](const auto& segment) { return segment->base_offset(); });
  return next == segments_.begin() ? 0 : static_cast<std::size_t>(next - segments_.begin()) - 1;
}

Offset Log::segment_end_offset(std::size_t i) const {
  return i + 1 < segments_.size() ? segments_[i + 1]->base_offset() : log_end_offset_;
}

Result<Segment*> Log::usable(std::size_t i) {
  Segment& segment = *segments_[i];
  if (!segment.sealed()) return &segment;
  MILENA_TRY(const bool loaded, segment.load_indexes());
  if (!loaded) MILENA_CHECK(rebuild_indexes(i));
  if (std::ranges::find(open_sealed_, &segment) == open_sealed_.end()) {
    open_sealed_.push_back(&segment);
    if (open_sealed_.size() > kOpenSealedMax) {
      open_sealed_.front()->release();
      open_sealed_.erase(open_sealed_.begin());
    }
  }
  return &segment;
}

template <class LookUp>
Result<std::optional<BatchSpot>> Log::find(std::size_t i, LookUp look_up) {
  MILENA_TRY(Segment * segment, usable(i));
  auto spot = look_up(*segment);
  if (spot || spot.error().code != ErrorCode::kCorruptMessage) return spot;
  // An index without a checksum may mislead; what the records say themselves decides.
  if (segment->sealed()) {
    MILENA_CHECK(rebuild_indexes(i));
    spot = look_up(*segment);
    if (spot) return spot;
  }
  return fail(ErrorCode::kKafkaStorageError, "a batch of the log is damaged");
}

Result<std::optional<BatchSpot>> Log::locate(std::size_t i, Offset offset) {
  return find(i, [&](Segment& segment) { return segment.locate(offset); });
}

Result<std::optional<BatchSpot>> Log::last_batch(std::size_t i) {
  return find(i, [](Segment& segment) { return segment.last_batch(); });
}

// Where in segment i records at or above the bound begin.
Result<std::uint32_t> Log::position_of_bound(std::size_t i, Offset upper_bound) {
  if (upper_bound >= segment_end_offset(i)) return segments_[i]->size();
  MILENA_TRY(const auto spot, locate(i, upper_bound));
  return spot ? spot->position : segments_[i]->size();
}

// All from `start` on, where a batch of the active segment begins.
Result<ReadInfo> Log::read_to_end(std::uint32_t start) {
  MILENA_TRY(auto file, active().file());
  read_ends_.note(log_end_offset_, active().size());
  return ReadInfo{.records = {.file = std::move(file), .position = start, .size = active().size() - start},
                  .upper_bound = log_end_offset_};
}

Result<ReadInfo> Log::read(Offset fetch_offset, std::uint32_t max_bytes, Offset upper_bound,
                           bool min_one_message) {
  MILENA_CHECK(place_.health.check());
  if (fetch_offset < log_start_offset_ || fetch_offset > log_end_offset_)
    return fail(ErrorCode::kOffsetOutOfRange, "outside of the log");
  ReadInfo info{.records = {}, .upper_bound = fetch_offset};
  if (fetch_offset == log_end_offset_) read_ends_.note(log_end_offset_, active().size());
  if (fetch_offset >= std::min(upper_bound, log_end_offset_)) return info;
  if (const auto start = read_ends_.position_of(fetch_offset);
      start && upper_bound >= log_end_offset_ && active().size() - *start <= max_bytes)
    return read_to_end(*start);
  for (std::size_t i = segment_index_of(fetch_offset);
       i < segments_.size() && segments_[i]->base_offset() < upper_bound; ++i) {
    MILENA_TRY(const auto spot, locate(i, fetch_offset));
    if (!spot) continue;  // compaction has emptied the rest of this segment
    MILENA_TRY(const std::uint32_t end, position_of_bound(i, upper_bound));
    if (spot->position >= end) return info;
    if (spot->size > max_bytes && !min_one_message) return info;  // a piece of a batch helps nobody
    const std::uint32_t limit = min_one_message ? std::max(max_bytes, spot->size) : max_bytes;
    info.records.size = std::min(end - spot->position, limit);
    info.records.position = spot->position;
    if (info.records.size == 0) return info;
    if (segments_[i].get() == &active() && spot->position + info.records.size == active().size())
      read_ends_.note(log_end_offset_, active().size());
    MILENA_TRY(info.records.file, segments_[i]->file());
    // As Kafka: the next index entry ends the range, or else the segment does.
    const auto entry =
        segments_[i]->indexes()->offsets.at_or_beyond(std::uint64_t{spot->position} + info.records.size);
    info.upper_bound = entry ? entry->offset : segment_end_offset(i);
    return info;
  }
  return info;
}

Result<std::vector<AbortedTransaction>> Log::aborted_transactions(Offset from, Offset upper_bound) {
  MILENA_CHECK(place_.health.check());
  std::vector<AbortedTransaction> aborted;
  for (std::size_t i = segment_index_of(from); i < segments_.size(); ++i) {
    if (!segments_[i]->may_have_aborted()) continue;
    MILENA_TRY(Segment * segment, usable(i));
    if (collect_aborted(segment->indexes()->aborted, from, upper_bound, aborted)) break;
  }
  return aborted;
}

// The first record of the batch with a timestamp at or after `timestamp` and an offset at or after `from`.
Result<std::optional<TimestampAndOffset>> Log::first_record_at(Segment& segment, const BatchSpot& spot,
                                                               std::int64_t timestamp, Offset from) {
  MILENA_TRY(const auto file, segment.file());
  BatchScanner scanner(*file, spot.position, segment.size(), spot.size);
  const auto step = scanner.next();
  if (!step) return place_.health.fail(step.error(), place_.path(segment.base_offset(), kLogSuffix));
  const auto batch = *step == BatchScanner::Step::kBatch ? scanner.batch() : std::nullopt;
  if (!batch) return place_.health.fail(batch.error(), place_.path(segment.base_offset(), kLogSuffix));
  if (!*batch || !(*batch)->crc_matches())
    return fail(ErrorCode::kKafkaStorageError, "a batch of the log is damaged");
  protocol::Decompressor decompressor;
  std::vector<std::byte> buffer;
  MILENA_TRY(auto records, protocol::read_records(**batch, decompressor, buffer));
  for (;;) {
    MILENA_TRY(const auto record, records.next());
    if (!record) return std::nullopt;
    if (record->timestamp(**batch) >= timestamp && record->offset(**batch) >= from)
      return TimestampAndOffset{record->timestamp(**batch), record->offset(**batch), spot.leader_epoch};
  }
}

Result<std::optional<TimestampAndOffset>> Log::offset_for_timestamp(std::int64_t timestamp) {
  MILENA_CHECK(place_.health.check());
  for (std::size_t i = segment_index_of(log_start_offset_); i < segments_.size(); ++i) {
    if (!segments_[i]->knows_largest_timestamp()) MILENA_CHECK(usable(i));
    if (segments_[i]->largest_timestamp().timestamp < timestamp) continue;
    Offset from = log_start_offset_;
    for (;;) {
      MILENA_TRY(const auto spot,
                 find(i, [&](Segment& segment) { return segment.locate_timestamp(timestamp, from); }));
      if (!spot) break;
      MILENA_TRY(const auto found, first_record_at(*segments_[i], *spot, timestamp, from));
      if (found) return found;
      from = spot->last_offset + 1;
    }
  }
  return std::nullopt;
}

Result<std::optional<TimestampAndOffset>> Log::max_timestamp() {
  MILENA_CHECK(place_.health.check());
  std::optional<std::size_t> best;
  for (std::size_t i = segment_index_of(log_start_offset_); i < segments_.size(); ++i) {
    if (!segments_[i]->knows_largest_timestamp()) MILENA_CHECK(usable(i));
    const auto timestamp = segments_[i]->largest_timestamp().timestamp;
    if (timestamp >= 0 && (!best || timestamp > segments_[*best]->largest_timestamp().timestamp)) best = i;
  }
  if (!best) return std::nullopt;
  const auto largest = segments_[*best]->largest_timestamp();
  MILENA_TRY(const auto spot, locate(*best, largest.offset));
  if (!spot) return std::nullopt;
  return first_record_at(*segments_[*best], *spot, largest.timestamp, spot->base_offset);
}

void Log::release_idle_files() {
  active().release_idle();
  for (Segment* segment : open_sealed_) segment->release_idle();
  std::erase_if(open_sealed_, [](const Segment* segment) { return !segment->holds_resources(); });
}

void Log::set_file_holder(FileHolder* holder) {
  if (place_.holder != nullptr) place_.fs.remove_holder(*place_.holder);
  place_.holder = holder;
}

bool Log::release_files(FileHolder::Urgency urgency, bool unsynced) {
  unsynced = unsynced || urgency == FileHolder::Urgency::kAll;
  active().release_unused(urgency, unsynced);
  bool left = active().holds_files();
  for (Segment* segment : open_sealed_) {
    segment->release_unused(urgency, unsynced);
    left = left || segment->holds_files();
  }
  std::erase_if(open_sealed_, [](const Segment* segment) { return !segment->holds_resources(); });
  return left;
}

}  // namespace milena::storage
