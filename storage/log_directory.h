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
// Start:  open(), open_log() for each partition, recovery_done(). The clean-shutdown marker is gone, durably,
// when
//         open() returns, so before the first append (R3).
// Stop:   close(), which leaves the marker only if recovery was done and everything could be synced.
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
#include "storage/log.h"
#include "storage/meta_properties.h"
#include "storage/partition_name.h"
#include "storage/truncation_permit.h"

namespace milena::storage {

class LogDirectory {
 public:
  // Locks the directory, making it if needed, and reads what it says about itself.
  // KAFKA_STORAGE_ERROR: an I/O error, or the directory is in use by another process.
  // INVALID_CONFIG: meta.properties cannot be read or is of another version; never reinterpreted (R12).
  static Result<std::unique_ptr<LogDirectory>> open(Fs& fs, std::string path);
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

  // --- partitions
  // What lies in the directory, by name. Names that are not Kafka's are left out.
  Result<std::vector<PartitionName>> partitions();
  std::string partition_path(const TopicPartition& partition) const;
  // Makes the partition's directory and its partition.metadata. What the checkpoints say about an older
  // partition of that name is forgotten first, durably.
  Status create_partition(const TopicPartition& partition, const Uuid& topic_id);
  // The topic id in partition.metadata; none when there is no such file or it is not finished.
  Result<std::optional<Uuid>> topic_id(const TopicPartition& partition);
  // Opens, and recovers unless was_clean(), the log of a partition that exists. See Log::open.
  Result<std::unique_ptr<Log>> open_log(const TopicPartition& partition,
                                        std::shared_ptr<const LogConfig> config, std::int64_t now_ms);
  // Renames the partition's directory to topic-N.<32 hex digits>-delete, so that it is gone at once and for
  // good. The owner has dropped the Log, after Log::retire(). Returns the new path, for remove_deleted().
  Result<std::string> mark_for_deletion(const TopicPartition& partition, Rng& rng);
  // Removes a directory that mark_for_deletion left, in this life or before. Takes long for large logs.
  Status remove_deleted(const std::string& path);

  // --- checkpoints
  // Remembers where a log stands, for the next write_checkpoints().
  void note(const TopicPartition& partition, const LogCheckpoint& checkpoint);
  std::optional<LogCheckpoint> noted(const TopicPartition& partition) const;
  // Writes the three files, if something changed. Call it every log.flush.offset.checkpoint.interval.ms, and
  // before answering DeleteRecords.
  Status write_checkpoints();
  // Permits Log::truncate_to(offset). While the permit lives, no recovery point above `offset` is remembered.
  Result<TruncationPermit> permit_truncation(const TopicPartition& partition, Offset offset);

  // --- start and stop
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
  void load_checkpoint(std::string_view name, Offset LogCheckpoint::* field);
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
  bool distrust_page_cache_ = false;
  std::int64_t previous_broker_epoch_ = -1;
  bool recovery_done_ = false;

  // Serialises writers of the checkpoint files. Held while mutex_ is taken for a moment, never the other way
  // round; only ever taken on the blocking pool.
  Mutex file_mutex_;
  mutable Mutex mutex_;
  std::map<std::string, Noted, std::less<>> noted_ MILENA_GUARDED_BY(mutex_);  // by directory name
  std::set<std::string, std::less<>> forgotten_ MILENA_GUARDED_BY(mutex_);     // deleted, but still on disk
  bool dirty_ MILENA_GUARDED_BY(mutex_) = false;
};

}  // namespace milena::storage
