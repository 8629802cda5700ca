// Segment: one .log file of a partition and what is derived from it: the indexes and the largest timestamp.
//
// Owned by a Log, under its owner's mutex. The active segment grows and has its indexes in memory. A sealed
// one never changes; its file is opened and its index files are mapped when somebody asks, and closed again
// by release_idle(). Appends and indexes know nothing of producers; the Log adds aborted transactions.
//
// The file of an active segment that grows fast ends in room: zeros up to a boundary, written along with the
// records that cross it. The page cache then holds the file in large pieces, and an append costs a copy into
// one of them instead of new pages: a third of the processor time of 16 KB batches. Room comes once the
// segment has grown by a megabyte, and goes when it is flushed, sealed, or was not used for a while.
//
// A file with unsynced data may be closed: the page cache has the data, and a failed write-back is not lost.
// The descriptor that is opened for the flush reports an error that no other one has seen (Linux 4.17);
// should the kernel have forgotten the file meanwhile, syncfs reports it, from the file system's own record
// (5.8). So the flush of such a segment calls both. While a flush is under way the file stays open: the job
// holds it.
//
// Always: an index entry points at the beginning of a batch, and holds that batch's last offset. Behind
// size() the file holds nothing but zeros.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fs.h"
#include "base/result.h"
#include "protocol/record_batch.h"
#include "storage/directory_health.h"
#include "storage/log_config.h"
#include "storage/log_types.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/txn_index.h"

namespace milena::storage {

// Where the segments of a log live.
struct SegmentPlace {
  Fs& fs;
  DirectoryHealth& health;
  std::string directory;
  FileHolder* holder = nullptr;  // whom to ask for the files that its segments keep open; null: nobody

  void note_open() const {
    if (holder != nullptr) fs.add_holder(*holder);
  }
  std::string path(Offset base_offset, std::string_view suffix) const;
};

struct SegmentIndexes {
  explicit SegmentIndexes(Offset base_offset) : offsets(base_offset), times(base_offset) {}

  OffsetIndex offsets;
  TimeIndex times;
  std::vector<AbortedTransaction> aborted;
};

// CRC-32C of a sealed segment's three index files (docs/formats/index_checksums.md). A missing .txnindex
// counts as an empty one.
struct IndexChecksums {
  std::uint32_t offsets = 0;
  std::uint32_t times = 0;
  std::uint32_t aborted = 0;
  bool operator==(const IndexChecksums&) const = default;
};
IndexChecksums checksums_of(const SegmentIndexes& indexes);

// One batch inside a segment.
struct BatchSpot {
  std::uint32_t position = 0;
  std::uint32_t size = 0;
  Offset base_offset;
  Offset last_offset;
  LeaderEpoch leader_epoch;
  std::int64_t max_timestamp = -1;
};

class Segment {
 public:
  // A new, empty, active segment. Its file appears with the first append or with create_file().
  Segment(const SegmentPlace& place, Offset base_offset, std::int64_t now_ms);
  // One that exists on disk with `size` bytes. It is sealed until reopen() makes it active.
  Segment(const SegmentPlace& place, Offset base_offset, std::uint32_t size, std::int64_t now_ms);

  Offset base_offset() const { return base_offset_; }
  std::uint32_t size() const { return size_; }
  bool sealed() const { return sealed_; }

  // --- growing
  Status create_file();
  // Writes whole batches at the end. Afterwards note_batch() is called for each of them, in order.
  // `room_bytes`: LogConfig::append_room_bytes. KAFKA_STORAGE_ERROR, and the segment is as before: a full
  // disk, which may pass, or a broken directory.
  Status append(BytesView records, std::int32_t room_bytes, std::int64_t now_ms);
  // The batch at `position` belongs to the segment: indexes, timestamps.
  void note_batch(const protocol::RecordBatchHeader& batch, std::uint32_t position,
                  std::int32_t index_interval_bytes);
  void note_aborted(const AbortedTransaction& txn);
  // Whether `bytes` more, up to `last_offset` and `max_timestamp`, belong into a new segment (Kafka's rules).
  bool should_roll(const LogConfig& config, std::uint64_t bytes, Offset last_offset,
                   std::int64_t max_timestamp, std::int64_t now_ms) const;
  // Nothing more is written: the time index gets its last entry, the file ends with its records.
  Status seal();
  // The file ends with its records, durably with the next sync. Appends may follow.
  Status cut_room();
  // The same, and spare blocks go back to the disk.
  Status give_space_back();

  // --- rebuilding, by whoever walks the file
  // Forgets the indexes and timestamps; note_batch() fills them again.
  void reset_indexes();
  // The records end at `size`; what lies behind them is zeros.
  void set_size(std::uint32_t size) { size_ = size; }
  // The records end at `size`; what lies behind them is cut off, durably.
  Status cut_tail(std::uint32_t size);
  // A sealed segment with usable indexes becomes the active one.
  Status reopen();
  // Cuts the file at a batch boundary, durably. The indexes are cut with it; the segment is active
  // afterwards.
  Status truncate(Offset offset, std::uint32_t position);

  // --- reading
  Result<std::shared_ptr<File>> file();
  // The file if it is open, or null.
  std::shared_ptr<File> open_file() const { return file_; }
  // The first batch that ends at or above `offset`; none when the segment ends below it.
  Result<std::optional<BatchSpot>> locate(Offset offset);
  // The first batch that ends at or above `offset` and has a record at or after `timestamp`.
  Result<std::optional<BatchSpot>> locate_timestamp(std::int64_t timestamp, Offset offset);
  // The last batch; none when empty.
  Result<std::optional<BatchSpot>> last_batch();
  // Timestamp and last offset of the batch that has the largest timestamp. For a segment that was found on
  // disk, only after load_indexes() or reset_indexes().
  TimeIndex::Entry largest_timestamp() const { return largest_; }
  bool knows_largest_timestamp() const { return knows_largest_; }
  // What retention.ms is compared with: the largest timestamp, or for records without one the time of
  // writing.
  std::int64_t retention_timestamp() const {
    return largest_.timestamp >= 0 ? largest_.timestamp : touched_ms_;
  }

  // --- indexes
  // In memory, or already mapped.
  const SegmentIndexes* indexes() const { return indexes_.get(); }
  std::shared_ptr<const SegmentIndexes> share_indexes() const { return indexes_; }
  // Maps the index files of a sealed segment. False when they are missing, damaged or not those of
  // `checksums`: the Log rebuilds them. Also learns the largest timestamp.
  Result<bool> load_indexes();
  // False: no abort marker lies in this segment; its indexes need not be loaded to know.
  bool may_have_aborted() const { return may_have_aborted_; }
  void set_may_have_aborted(bool may) { may_have_aborted_ = may; }
  const std::optional<IndexChecksums>& checksums() const { return checksums_; }
  void set_checksums(const IndexChecksums& checksums) { checksums_ = checksums; }
  // Checksums are kept for this log, but none fit this segment: its index files are of another time.
  void distrust_index_files() { distrusts_index_files_ = true; }
  // Removes the index files, before the segment is changed: they would not be of this segment any more.
  Status discard_index_files();
  // Whether the index files need not be written: they hold what indexes() does, or nobody looked at them yet.
  bool indexes_on_disk() const { return indexes_on_disk_; }
  void set_indexes_on_disk(bool on_disk) { indexes_on_disk_ = on_disk; }

  bool needs_sync() const { return needs_sync_; }
  void set_needs_sync(bool needs_sync) {
    needs_sync_ = needs_sync;
    if (!needs_sync) closed_unsynced_ = false;
  }
  // The file was closed while its data was not synced.
  bool closed_unsynced() const { return closed_unsynced_; }
  void set_closed_unsynced() { closed_unsynced_ = true; }

  // Closes the file, and the indexes if they can be had again, unless they were used since the last call.
  // Room and spare blocks go back to the disk.
  void release_idle();
  // The same at once. With `unsynced`, the file too whose data is not synced yet.
  void release(bool unsynced = false);
  // Closes the file again, for those who have opened it to walk through many segments.
  void close_file() { file_.reset(); }
  // For want of descriptors or mappings: closes what nobody else holds and, with kUnused, was not used since
  // the last call. With `unsynced`, also what is not synced. Nothing is written.
  void release_unused(FileHolder::Urgency urgency, bool unsynced);
  bool holds_resources() const { return file_ != nullptr || indexes_ != nullptr; }
  // Whether a descriptor or a mapping is held that could be given back.
  bool holds_files() const {
    return file_ != nullptr || (sealed_ && indexes_on_disk_ && indexes_ != nullptr);
  }

 private:
  Result<std::optional<BatchSpot>> scan_for(Offset offset, std::int64_t timestamp, std::uint64_t position);
  void reserve(std::uint64_t bytes);
  IoStatus write(BytesView records, std::uint64_t room);

  const SegmentPlace& place_;
  Offset base_offset_;
  std::uint32_t size_ = 0;
  std::uint32_t bytes_since_index_entry_ = 0;
  std::uint64_t room_end_ = 0;         // the file ends here at the latest; zeros from size_ on
  std::uint64_t reserved_ = 0;         // blocks are allocated up to here
  std::uint32_t exact_size_ = 0;       // size_ when the file last ended with its records
  TimeIndex::Entry largest_;           // {-1, base offset}: no batch with a timestamp
  std::int64_t first_timestamp_ = -1;  // largest of the first batch; segment.ms counts from it
  std::int64_t touched_ms_;            // wall clock of the last append, or of opening
  std::int64_t created_ms_;
  std::shared_ptr<File> file_;
  std::shared_ptr<SegmentIndexes> indexes_;
  std::optional<IndexChecksums> checksums_;
  bool sealed_ = false;
  bool knows_largest_ = true;
  bool may_have_aborted_ = false;
  bool has_file_ = false;
  bool indexes_on_disk_ = false;
  bool distrusts_index_files_ = false;
  bool needs_sync_ = false;
  bool closed_unsynced_ = false;
  bool used_ = false;
};

}  // namespace milena::storage
