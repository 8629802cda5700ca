// LogDirectory: one of the broker's log.dirs: the lock on it, who it belongs to, which partitions live in it,
// and the checkpoints that say how much of each log survives a crash.
//
//   .lock  meta.properties  .kafka_cleanshutdown  recovery-point-offset-checkpoint
//   log-start-offset-checkpoint replication-offset-checkpoint  topic-0/ ... (docs/formats/checkpoints.md,
//   meta_properties.md)
//
// Owned by the broker, one per directory. Thread-safe; everything that touches the disk blocks and belongs on
// the blocking pool, never under a partition's mutex.
//
// A start calls open(), which only looks; begin_use(), which removes the clean-shutdown marker, durably and
// so before the first append (R3); open_log() for each partition; and recovery_done(). One that is refused
// before begin_use() leaves the directory as it was, but for the lock file.
//
// A stop calls close(), which leaves the marker only if recovery was done and everything could be synced.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fs.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/rng.h"
#include "base/uuid.h"
#include "storage/directory_health.h"
#include "storage/followed_metadata.h"
#include "storage/log.h"
#include "storage/meta_properties.h"
#include "storage/offset_checkpoint.h"
#include "storage/partition_metadata.h"
#include "storage/partition_name.h"
#include "storage/truncation_permit.h"

namespace milena::storage {

class LogDirectory {
 public:
  struct OpenError : Error {
    std::string detail;  // names the call and the file, where there is one
  };
  // Locks the directory, making it if needed, and reads what it says about itself.
  //   KAFKA_STORAGE_ERROR   an I/O error (the directory may be left out of the start)
  //   INVALID_CONFIG        it is in use by another process, or a file in it is damaged or of a newer
  //   version,
  //                         which is never reinterpreted (R12): the start has to be refused
  static std::expected<std::unique_ptr<LogDirectory>, OpenError> open(Fs& fs, std::string path);
  // Removes the clean-shutdown marker, durably. Once, before any log of the directory is opened.
  Status begin_use();
  ~LogDirectory();

  const std::string& path() const { return path_; }
  DirectoryHealth& health() { return health_; }

  // None: the directory was never formatted.
  const std::optional<MetaProperties>& meta_properties() const { return meta_properties_; }
  // Writes meta.properties; an unformatted directory becomes this node's.
  Status format(const MetaProperties& properties);

  // Whether the last user of the directory stopped cleanly, and the broker epoch it had then (KIP-966); -1 if
  // it did not say.
  bool was_clean() const { return was_clean_; }
  std::int64_t previous_broker_epoch() const { return previous_broker_epoch_; }

  // Of the file system that the directory lies on; none when it is not known.
  std::optional<FsSpace> space();

  // --- partitions
  // What lies in the directory, by name. Names that are not Kafka's are left out.
  Result<std::vector<PartitionName>> partitions();
  std::string partition_path(const TopicPartition& partition) const;
  // Makes the partition's directory and its partition.metadata, which is on stable storage on return. What
  // the checkpoints say about an older partition of that name is forgotten first, durably. A directory of
  // that name is taken over only if it holds nothing but this topic's partition.metadata, or a broken one.
  //   INVALID_CONFIG   a directory of that name is there and holds something else
  Status create_partition(const TopicPartition& partition, const Uuid& topic_id);
  // What the partition.metadata in directory `name` says.
  Result<PartitionMetadata> partition_metadata(const std::string& name);
  // Writes the partition.metadata of a directory that has lost it.
  Status write_partition_metadata(const TopicPartition& partition, const Uuid& topic_id);
  // What lies in directory `name`.
  struct Contents {
    std::uint64_t record_bytes = 0;  // in its segments
    std::string foreign;             // a name that no file of a partition has; empty if there is none
  };
  Result<Contents> contents(const std::string& name);
  // Opens, and recovers unless was_clean(), the log of a partition that exists. See Log::open. `is_durable`:
  // what is acknowledged of it is on stable storage. It is written again then when it is recovered: the page
  // cache may show what a failing disk did not take, and a disk that takes nothing has no trace of that.
  Result<std::unique_ptr<Log>> open_log(const TopicPartition& partition,
                                        std::shared_ptr<const LogConfig> config, std::int64_t now_ms,
                                        bool is_durable = false);
  // The same for its partition.metadata; durable with the next flush().
  Status write_metadata_again(const TopicPartition& partition, const Uuid& topic_id);
  // The same as open_log() for one that was moved here from a directory whose checkpoints said `former` of
  // it. What this directory's say is of another one that had its name. Nothing is written; take_over()
  // follows.
  Result<std::unique_ptr<Log>> open_moved_log(const TopicPartition& partition, const LogCheckpoint& former,
                                              std::shared_ptr<const LogConfig> config, std::int64_t now_ms,
                                              bool is_durable);
  // The log is this directory's from now on, where it begins at log_start: durable when this returns, and
  // `from` knows nothing of it any more.
  Status take_over(const TopicPartition& partition, Offset log_start, LogDirectory& from);
  // Renames the partition's directory to topic-N.<32 hex digits>-delete, so that it is gone at once and for
  // good. The owner has dropped the Log, after Log::retire(). Returns the new path, for remove_deleted().
  Result<std::string> mark_for_deletion(const TopicPartition& partition, Rng& rng);
  // Renames the directory of a partition that the metadata does not know to topic-N.<32 hex digits>-stray,
  // which nothing here ever removes. Returns the new name.
  Result<std::string> mark_as_stray(const TopicPartition& partition, Rng& rng);
  // Renames such a directory back: the metadata knows the partition again.
  Status take_back(const std::string& stray, const TopicPartition& partition);
  // Removes a directory that mark_for_deletion left, in this life or before; partition.metadata goes last, so
  // that the next start knows what an interrupted removal has left. Takes long for large logs.
  Status remove_deleted(const std::string& path);
  bool has(const std::string& name) { return fs_.exists(join(path_, name)); }
  // Whether nothing lies in it: what an interrupted removal may have left.
  bool is_empty(const PartitionName& name);

  // --- checkpoints
  // Remembers where a log stands, for the next write_checkpoints().
  void note(const TopicPartition& partition, const LogCheckpoint& checkpoint);
  std::optional<LogCheckpoint> noted(const TopicPartition& partition) const;
  // Writes the three files, if something changed. Call it every log.flush.offset.checkpoint.interval.ms, and
  // before answering DeleteRecords.
  Status write_checkpoints();
  // Permits Log::truncate_to(offset). While the permit lives, no recovery point above `offset` is remembered.
  Result<TruncationPermit> permit_truncation(const TopicPartition& partition, Offset offset);

  // --- time
  // What note_last_seen() wrote last, in this life or before; none when that is not known.
  std::optional<std::int64_t> last_seen_ms() const { return last_seen_ms_; }
  // Remembers what time it is, for the next start. Not synced; a failure only costs the next start its trust
  // in the clock. One thread at a time.
  void note_last_seen(std::int64_t wall_ms);

  // --- the metadata log
  // How far the broker that used the directory last had followed it; none when that is not known.
  const std::optional<FollowedMetadata>& followed_metadata() const { return followed_metadata_; }
  // Remembers that for the next start. Only what is on stable storage; not synced itself: a failure only
  // costs the next start a check. One thread at a time.
  void note_followed_metadata(const FollowedMetadata& followed);

  // --- start and stop
  // Brings everything in the logs to stable storage, with one sync of the file system. Nobody else uses the
  // logs meanwhile. A log that the disk has no room for is left as it is.
  Status flush(std::span<Log* const> logs);
  // Every log of the directory is open; from here on a clean shutdown may be claimed (KAFKA-15375).
  Status recovery_done();
  // Flushes and closes the logs, writes the checkpoints and, last, the clean-shutdown marker. The caller
  // holds whatever guards the logs; nothing is appended any more.
  Status close(std::span<Log* const> logs, std::int64_t broker_epoch);

 private:
  friend class TruncationPermit;

  struct Noted {
    LogCheckpoint checkpoint;
    Offset recovery_point_on_disk = 0;
    std::optional<Offset> recovery_point_limit;  // set while a truncation is permitted
  };

  LogDirectory(Fs& fs, std::string path);
  Status load();
  Status load_marker();
  void load_checkpoint(const OffsetCheckpoint& offsets, Offset LogCheckpoint::* field);
  void forget(const TopicPartition& partition);
  Result<std::unique_ptr<Log>> open_with(const TopicPartition& partition, LogOpenOptions options,
                                         const LogCheckpoint& checkpoint, bool is_durable);
  Result<std::string> rename_away(const TopicPartition& partition, const std::string& name);
  Status rename(const std::string& from, const std::string& to);
  Status check_free_for(const TopicPartition& partition, const Uuid& topic_id);
  Status write_checkpoint(std::string_view name, Offset LogCheckpoint::* field);
  Status remove_durably(std::string_view name);
  void end_truncation(const std::string& partition);
  Status failed(const IoError& error, std::string_view name);

  Fs& fs_;
  std::string path_;
  DirectoryHealth health_;
  std::unique_ptr<FileLock> lock_;
  std::optional<MetaProperties> meta_properties_;
  bool was_clean_ = false;
  bool marker_present_ = false;  // until begin_use()
  bool distrust_page_cache_ = false;
  std::int64_t previous_broker_epoch_ = -1;
  bool recovery_done_ = false;
  std::optional<std::int64_t> last_seen_ms_;
  std::optional<FollowedMetadata> followed_metadata_;

  // Serialises writers of the checkpoint files. Held while mutex_ is taken for a moment, never the other way
  // round; only ever taken on the blocking pool.
  Mutex file_mutex_;
  mutable Mutex mutex_;
  std::map<std::string, Noted, std::less<>> noted_ MILENA_GUARDED_BY(mutex_);  // by directory name
  std::set<std::string, std::less<>> forgotten_ MILENA_GUARDED_BY(mutex_);     // deleted, but still on disk
  bool dirty_ MILENA_GUARDED_BY(mutex_) = false;
};

}  // namespace milena::storage
