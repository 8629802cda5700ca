#include "storage/segment.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/crc32c.h"
#include "base/saturating.h"
#include "protocol/error_code.h"
#include "storage/batch_scanner.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

using protocol::RecordBatchHeader;

constexpr std::int64_t kAnyTimestamp = std::numeric_limits<std::int64_t>::min();
constexpr std::uint64_t kReserveMin = 256 << 10;
constexpr std::uint64_t kReserveMax = 32 << 20;
constexpr std::size_t kIndexFileMax = 64 << 20;

// Room costs a partition memory and disk, and shows to whoever looks into the file of a running broker: it is
// for segments that have grown by so many times as much since their file last ended with its records. One
// that is flushed after every append never has any.
constexpr std::uint64_t kRoomShare = 16;
constexpr std::array<std::byte, 16 << 10> kZeros{};
constexpr std::size_t kZeroPiecesMax = 4;

std::int64_t index_entries_max(const LogConfig& config, std::size_t entry_size) {
  return config.segment_index_bytes / static_cast<std::int64_t>(entry_size);
}

BatchSpot spot_of(const BatchScanner& scanner) {
  const RecordBatchHeader& header = scanner.header();
  return {.position = static_cast<std::uint32_t>(scanner.position()),
          .size = static_cast<std::uint32_t>(header.size_in_bytes()),
          .base_offset = header.base_offset(),
          .last_offset = header.last_offset(),
          .leader_epoch = header.partition_leader_epoch(),
          .max_timestamp = header.max_timestamp()};
}

// How many zeros follow the records that end at `end`, in a file that ends at `room_end` and whose records
// have grown by `grown` bytes.
std::uint64_t room_behind(std::uint64_t end, std::uint64_t grown, std::uint64_t room_end,
                          std::uint64_t room_bytes) {
  if (room_bytes == 0 || end <= room_end || grown < kRoomShare * room_bytes) return 0;
  const std::uint64_t boundary = (end + room_bytes - 1) / room_bytes * room_bytes;
  return boundary <= std::numeric_limits<std::int32_t>::max() ? boundary - end : 0;
}

// A whole index file; none when it is missing. Mapped, but for a small one, which costs less as a copy, or
// when there are no mappings left.
template <std::size_t kEntrySize>
IoResult<std::optional<IndexBytes<kEntrySize>>> index_file(Fs& fs, const std::string& path) {
  constexpr std::size_t kSmall = 4096;
  auto file = fs.open(path, OpenMode::kRead);
  if (!file && file.error().code == ENOENT) return std::nullopt;
  if (!file) return std::unexpected(file.error());
  MILENA_TRY(const std::uint64_t size, (*file)->size());
  if (size > kSmall) {
    auto mapping = (*file)->map();
    if (mapping) return IndexBytes<kEntrySize>(std::move(*mapping));
    if (mapping.error().code != ENOMEM) return std::unexpected(mapping.error());
  }
  std::vector<std::byte> bytes(size);
  if (size > 0) {
    MILENA_TRY(const std::size_t got, (*file)->read_at(0, bytes));
    bytes.resize(got);
  }
  return IndexBytes<kEntrySize>(std::move(bytes));
}

}  // namespace

std::string SegmentPlace::path(Offset base_offset, std::string_view suffix) const {
  return join(directory, segment_file_name(base_offset, suffix));
}

IndexChecksums checksums_of(const SegmentIndexes& indexes) {
  return {.offsets = crc32c(indexes.offsets.bytes()),
          .times = crc32c(indexes.times.bytes()),
          .aborted = crc32c(encode_txn_index(indexes.aborted))};
}

Segment::Segment(const SegmentPlace& place, Offset base_offset, std::int64_t now_ms)
    : place_(place),
      base_offset_(base_offset),
      largest_{-1, base_offset},
      touched_ms_(now_ms),
      created_ms_(now_ms),
      indexes_(std::make_shared<SegmentIndexes>(base_offset)) {}

Segment::Segment(const SegmentPlace& place, Offset base_offset, std::uint32_t size, std::int64_t now_ms)
    : place_(place),
      base_offset_(base_offset),
      size_(size),
      room_end_(size),
      exact_size_(size),
      largest_{-1, base_offset},
      touched_ms_(now_ms),
      created_ms_(now_ms),
      sealed_(true),
      knows_largest_(false),
      has_file_(true),
      indexes_on_disk_(true) {}

Status Segment::create_file() {
  const std::string path = place_.path(base_offset_, kLogSuffix);
  auto file = place_.fs.open(path, OpenMode::kTruncate);
  if (!file) return place_.health.fail(file.error(), path);
  file_ = std::move(*file);
  place_.note_open();
  has_file_ = true;
  room_end_ = 0;
  reserved_ = 0;
  exact_size_ = 0;
  return {};
}

Result<std::shared_ptr<File>> Segment::file() {
  used_ = true;
  if (!file_) {
    const std::string path = place_.path(base_offset_, kLogSuffix);
    auto file = place_.fs.open(path, OpenMode::kReadWrite);
    if (!file) return place_.health.fail(file.error(), path);
    file_ = std::move(*file);
    place_.note_open();
  }
  return file_;
}

void Segment::reserve(std::uint64_t bytes) {
  const std::uint64_t end = size_ + bytes;
  if (end <= reserved_ || size_ < kReserveMin) return;
  const std::uint64_t ahead = std::clamp<std::uint64_t>(size_, kReserveMin, kReserveMax);
  // A convenience: what it cannot reserve, the write will ask for itself.
  if (file_->reserve(size_, bytes + ahead)) reserved_ = end + ahead;
}

IoStatus Segment::write(BytesView records, std::uint64_t room) {
  std::array<BytesView, 1 + kZeroPiecesMax> pieces{records};
  std::size_t count = 1;
  for (; room > 0 && count < pieces.size(); ++count) {
    pieces[count] = BytesView(kZeros).first(std::min<std::uint64_t>(room, kZeros.size()));
    room -= pieces[count].size();
  }
  return file_->write_at(size_, std::span(pieces).first(count));
}

Status Segment::append(BytesView records, std::int32_t room_bytes, std::int64_t now_ms) {
  if (!has_file_) MILENA_CHECK(create_file());
  MILENA_CHECK(file());
  reserve(records.size());
  const std::uint64_t end = size_ + records.size();
  const std::uint64_t room =
      room_behind(end, size_ - exact_size_, room_end_, static_cast<std::uint64_t>(room_bytes));
  room_end_ = std::max(room_end_, end + room);
  auto written = write(records, room);
  // Where there is no room for room, there may be some for the records.
  if (!written && room > 0 && is_disk_full(written.error())) written = write(records, 0);
  if (!written) {
    // Take away what was written of it, so that nobody ever reads it.
    if (is_disk_full(written.error())) MILENA_CHECK(give_space_back());
    return place_.health.fail(written.error(), place_.path(base_offset_, kLogSuffix));
  }
  size_ += static_cast<std::uint32_t>(records.size());
  touched_ms_ = now_ms;
  needs_sync_ = true;
  return {};
}

void Segment::note_batch(const RecordBatchHeader& batch, std::uint32_t position,
                         std::int32_t index_interval_bytes) {
  if (position == 0) first_timestamp_ = batch.max_timestamp();
  if (batch.max_timestamp() > largest_.timestamp) largest_ = {batch.max_timestamp(), batch.last_offset()};
  if (bytes_since_index_entry_ > static_cast<std::uint32_t>(index_interval_bytes)) {
    indexes_->offsets.append(batch.last_offset(), position);
    indexes_->times.append(largest_.timestamp, largest_.offset);
    bytes_since_index_entry_ = 0;
  }
  bytes_since_index_entry_ += static_cast<std::uint32_t>(batch.size_in_bytes());
}

void Segment::note_aborted(const AbortedTransaction& txn) {
  indexes_->aborted.push_back(txn);
  may_have_aborted_ = true;
}

bool Segment::should_roll(const LogConfig& config, std::uint64_t bytes, Offset last_offset,
                          std::int64_t max_timestamp, std::int64_t now_ms) const {
  if (last_offset - base_offset_ > std::numeric_limits<std::int32_t>::max()) return true;
  if (size_ == 0) return false;
  if (size_ + bytes > static_cast<std::uint64_t>(config.segment_bytes)) return true;
  std::int64_t jitter = 0;
  if (config.segment_jitter_ms > 0) {
    // Different for every segment of every log, and the same after a restart.
    jitter = crc32c(as_bytes(place_.path(base_offset_, kLogSuffix))) % config.segment_jitter_ms;
  }
  const std::int64_t waited =
      first_timestamp_ >= 0 ? saturating_subtract(max_timestamp, first_timestamp_) : now_ms - created_ms_;
  if (waited > saturating_subtract(config.segment_ms, jitter)) return true;
  const auto offset_entries = static_cast<std::int64_t>(indexes_->offsets.entries());
  const auto time_entries = static_cast<std::int64_t>(indexes_->times.entries());
  return offset_entries >= index_entries_max(config, OffsetIndex::kEntrySize) ||
         time_entries >= index_entries_max(config, TimeIndex::kEntrySize) - 1;
}

Status Segment::seal() {
  indexes_->times.append(largest_.timestamp, largest_.offset);
  MILENA_CHECK(give_space_back());
  sealed_ = true;
  return {};
}

Status Segment::cut_room() {
  exact_size_ = size_;
  return room_end_ > size_ ? give_space_back() : Status{};
}

Status Segment::give_space_back() {
  exact_size_ = size_;
  if (room_end_ <= size_ && reserved_ <= size_) return {};
  MILENA_TRY(const auto log, file());
  if (const auto cut = log->truncate(size_); !cut)
    return place_.health.fail(cut.error(), place_.path(base_offset_, kLogSuffix));
  needs_sync_ = needs_sync_ || room_end_ > size_;
  room_end_ = size_;
  reserved_ = 0;
  return {};
}

Status Segment::cut_tail(std::uint32_t size) {
  const std::string path = place_.path(base_offset_, kLogSuffix);
  MILENA_TRY(const auto log, file());
  if (const auto cut = log->truncate(size); !cut) return place_.health.fail(cut.error(), path);
  if (const auto synced = log->sync(); !synced) return place_.health.fail(synced.error(), path);
  size_ = size;
  exact_size_ = size;
  room_end_ = size;
  reserved_ = 0;
  return {};
}

void Segment::reset_indexes() {
  indexes_ = std::make_shared<SegmentIndexes>(base_offset_);
  largest_ = {-1, base_offset_};
  knows_largest_ = true;
  may_have_aborted_ = false;
  first_timestamp_ = -1;
  bytes_since_index_entry_ = 0;
}

Status Segment::reopen() {
  const auto copy = [](BytesView bytes) { return std::vector<std::byte>(bytes.begin(), bytes.end()); };
  auto grown = std::make_shared<SegmentIndexes>(base_offset_);
  grown->offsets =
      OffsetIndex(base_offset_, IndexBytes<OffsetIndex::kEntrySize>(copy(indexes_->offsets.bytes())));
  grown->times = TimeIndex(base_offset_, IndexBytes<TimeIndex::kEntrySize>(copy(indexes_->times.bytes())));
  grown->aborted = indexes_->aborted;
  indexes_ = std::move(grown);
  sealed_ = false;
  bytes_since_index_entry_ =
      size_ - indexes_->offsets.lookup(std::numeric_limits<std::int64_t>::max()).position;
  first_timestamp_ = -1;
  if (size_ == 0) return {};
  MILENA_TRY(const auto first, scan_for(base_offset_, kAnyTimestamp, 0));
  if (first) first_timestamp_ = first->max_timestamp;
  return {};
}

Status Segment::truncate(Offset offset, std::uint32_t position) {
  const std::string path = place_.path(base_offset_, kLogSuffix);
  MILENA_CHECK(discard_index_files());
  MILENA_CHECK(cut_tail(position));
  MILENA_TRY(const auto log, file());
  needs_sync_ = false;
  if (sealed_) MILENA_CHECK(reopen());
  indexes_->offsets.truncate_to(offset);
  indexes_->times.truncate_to(offset);
  std::erase_if(indexes_->aborted, [&](const auto& txn) { return txn.last_offset >= offset; });
  const auto last_entry = indexes_->offsets.lookup(std::numeric_limits<std::int64_t>::max());
  bytes_since_index_entry_ = size_ - last_entry.position;
  if (size_ == 0) first_timestamp_ = -1;

  // What came after the last time index entry may be larger than it.
  largest_ = indexes_->times.last();
  BatchScanner scanner(*log, indexes_->offsets.lookup(largest_.offset).position, size_,
                       BatchScanner::kLookupBytes);
  for (;;) {
    const auto step = scanner.next();
    if (!step) return place_.health.fail(step.error(), path);
    if (*step != BatchScanner::Step::kBatch) return {};
    if (scanner.header().max_timestamp() > largest_.timestamp)
      largest_ = {scanner.header().max_timestamp(), scanner.header().last_offset()};
  }
}

Result<std::optional<BatchSpot>> Segment::scan_for(Offset offset, std::int64_t timestamp,
                                                   std::uint64_t position) {
  if (!has_file_) return std::nullopt;
  MILENA_TRY(const auto log, file());
  std::array<std::byte, BatchScanner::kLookupBytes> buffer;
  BatchScanner scanner(*log, position, size_, buffer);
  for (;;) {
    const auto step = scanner.next();
    if (!step) return place_.health.fail(step.error(), place_.path(base_offset_, kLogSuffix));
    if (*step == BatchScanner::Step::kEnd) return std::nullopt;
    if (*step == BatchScanner::Step::kBroken)
      return fail(ErrorCode::kCorruptMessage, "an index entry points at no batch, or a batch is damaged");
    const RecordBatchHeader& header = scanner.header();
    if (header.last_offset() >= offset && header.max_timestamp() >= timestamp) return spot_of(scanner);
  }
}

Result<std::optional<BatchSpot>> Segment::locate(Offset offset) {
  return scan_for(offset, kAnyTimestamp, indexes_->offsets.lookup(offset).position);
}

Result<std::optional<BatchSpot>> Segment::locate_timestamp(std::int64_t timestamp, Offset offset) {
  const Offset from = std::max(indexes_->times.lookup(timestamp).offset, offset);
  return scan_for(offset, timestamp, indexes_->offsets.lookup(from).position);
}

Result<std::optional<BatchSpot>> Segment::last_batch() {
  if (size_ == 0) return std::nullopt;
  const auto entry = indexes_->offsets.lookup(std::numeric_limits<std::int64_t>::max());
  MILENA_TRY(const auto log, file());
  BatchScanner scanner(*log, entry.position, size_, BatchScanner::kLookupBytes);
  std::optional<BatchSpot> last;
  for (;;) {
    const auto step = scanner.next();
    if (!step) return place_.health.fail(step.error(), place_.path(base_offset_, kLogSuffix));
    if (*step == BatchScanner::Step::kBroken)
      return fail(ErrorCode::kCorruptMessage, "an index entry points at no batch, or a batch is damaged");
    if (*step == BatchScanner::Step::kEnd) return last;
    last = spot_of(scanner);
  }
}

Result<bool> Segment::load_indexes() {
  used_ = true;
  if (indexes_) return true;
  if (distrusts_index_files_) return false;
  const std::string offsets_path = place_.path(base_offset_, kOffsetIndexSuffix);
  const std::string times_path = place_.path(base_offset_, kTimeIndexSuffix);
  const std::string aborted_path = place_.path(base_offset_, kTxnIndexSuffix);
  auto offsets = index_file<OffsetIndex::kEntrySize>(place_.fs, offsets_path);
  if (!offsets) return place_.health.fail(offsets.error(), offsets_path);
  auto times = index_file<TimeIndex::kEntrySize>(place_.fs, times_path);
  if (!times) return place_.health.fail(times.error(), times_path);
  IoResult<std::vector<std::byte>> aborted;
  if (may_have_aborted_) aborted = read_file(place_.fs, aborted_path, kIndexFileMax);
  if (!aborted && aborted.error().code == ENOENT) aborted.emplace();
  if (!aborted && aborted.error().code != EFBIG) return place_.health.fail(aborted.error(), aborted_path);
  if (!*offsets || !*times || !aborted) return false;

  auto decoded = decode_txn_index(*aborted, base_offset_);
  auto loaded = std::make_shared<SegmentIndexes>(base_offset_);
  loaded->offsets = OffsetIndex(base_offset_, std::move(**offsets));
  loaded->times = TimeIndex(base_offset_, std::move(**times));
  if (!decoded || !loaded->offsets.is_sound(size_) || !loaded->times.is_sound()) return false;
  loaded->aborted = std::move(*decoded);
  if (checksums_ && *checksums_ != checksums_of(*loaded)) return false;
  indexes_ = std::move(loaded);
  place_.note_open();
  indexes_on_disk_ = true;
  may_have_aborted_ = !indexes_->aborted.empty();
  largest_ = indexes_->times.last();
  knows_largest_ = true;
  return true;
}

Status Segment::discard_index_files() {
  if (!has_file_) return {};  // new: a file of such a name would have been removed when the log was opened
  for (const std::string_view suffix : {kOffsetIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
    const std::string path = place_.path(base_offset_, suffix);
    const auto removed = place_.fs.remove(path);
    if (!removed && removed.error().code != ENOENT) return place_.health.fail(removed.error(), path);
  }
  indexes_on_disk_ = false;
  distrusts_index_files_ = false;
  checksums_.reset();
  return {};
}

void Segment::release_idle() {
  if (!used_) {
    (void)give_space_back();  // a failure is the directory's
    release();
  }
  used_ = false;
}

void Segment::release(bool unsynced) {
  // Unsynced data keeps its descriptor: with that one, the flush costs less.
  if (!needs_sync_ || unsynced) file_.reset();
  if (sealed_ && indexes_on_disk_) indexes_.reset();
}

void Segment::release_unused(FileHolder::Urgency urgency, bool unsynced) {
  if (urgency == FileHolder::Urgency::kUnused && std::exchange(used_, false)) return;
  // What somebody else holds would stay open all the same.
  if (file_.use_count() == 1 && (unsynced || !needs_sync_)) {
    closed_unsynced_ = closed_unsynced_ || needs_sync_;
    file_.reset();
  }
  if (sealed_ && indexes_on_disk_ && indexes_.use_count() == 1) indexes_.reset();
}

}  // namespace milena::storage
