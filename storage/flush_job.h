// FlushJob and DeletionJob: what a Log wants done on disk without its owner's mutex being held.
//
// Made by a Log under the mutex; run() blocks and may run on any thread, while the log goes on being used. A
// job holds everything it needs, so that the log may even be gone.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fs.h"
#include "base/result.h"
#include "storage/directory_health.h"
#include "storage/index_checksums.h"
#include "storage/segment.h"

namespace milena::storage {

class FlushJob {
 public:
  enum class Sync {
    kNow,    // everything is on stable storage when run() returns
    kLater,  // the caller syncs the whole file system after many jobs (clean shutdown)
  };

  // Record data first, then what is derived from it, then the directory: a crash in between leaves files that
  // recovery can do without (R4). KAFKA_STORAGE_ERROR: the directory is offline now; nothing was
  // acknowledged.
  Status run(Sync sync = Sync::kNow);

  // Everything below lies on stable storage once the job has run.
  Offset up_to() const { return up_to_; }

 private:
  friend class Log;

  struct LogFile {
    Offset base_offset;
    std::shared_ptr<File> file;  // null: not open, run() opens it
    std::string path;
    bool closed_unsynced = false;  // see Segment
  };
  struct Sealed {
    Offset base_offset;
    std::uint32_t size = 0;
    std::shared_ptr<const SegmentIndexes> indexes;
    IndexChecksums checksums;  // set by run()
  };
  struct Snapshot {
    Offset offset;
    std::vector<std::byte> bytes;
  };

  FlushJob(Fs& fs, DirectoryHealth& health) : fs_(&fs), health_(&health) {}
  // What the Log did for it under the mutex; if that failed, so does run().
  void prepared(const Status& status) {
    if (!status) prepared_ = status;
  }
  Status write_and_sync(Sync sync);
  Status sync_log(const LogFile& log);
  Status write_file(const std::string& path, BytesView bytes, Sync sync);
  Status sync_entries(const std::string& directory);
  Status write_indexes(Sealed& sealed, Sync sync);
  Status write_epochs(Sync sync);
  Status failed(const IoError& error, const std::string& path);

  Fs* fs_;
  DirectoryHealth* health_;
  std::string directory_;
  std::shared_ptr<const std::atomic<bool>> retired_;
  Status prepared_;
  Offset up_to_;
  std::vector<LogFile> log_files_;
  std::vector<Sealed> sealed_;
  std::vector<Snapshot> snapshots_;
  std::optional<std::string> epochs_;
  std::vector<SegmentChecksums> known_checksums_;  // of segments sealed before
  bool done_ = false;
  bool sync_directory_ = false;
  bool sync_parent_ = false;
};

class DeletionJob {
 public:
  // Unlinks. Without any error a caller could act on: what is left behind is removed at the next start.
  void run();

  std::size_t file_count() const { return paths_.size(); }

 private:
  friend class Log;
  explicit DeletionJob(Fs& fs) : fs_(&fs) {}

  Fs* fs_;
  std::vector<std::string> paths_;
};

}  // namespace milena::storage
