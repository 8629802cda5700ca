// DirectoryHealth: whether one log directory may still be used. One I/O error takes it offline for good; a
// full disk, or a process that is out of descriptors or memory, fails the call and passes. A file of one
// partition that may not be opened, or is none, fails that partition only.
//
// Owned by the LogDirectory, shared with its logs and their flush jobs. Thread-safe, lock-free to read.
// Once offline() it stays so until the process ends: a failed fsync is never retried (the kernel may have
// dropped the dirty pages), and every call on a log of the directory answers KAFKA_STORAGE_ERROR. A marker
// file tells the next process not to trust the page cache (R8); if it cannot be written, nothing better is
// known.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fs.h"
#include "base/mutex.h"
#include "base/result.h"

namespace milena::storage {

inline constexpr std::string_view kIoFailedName = ".milena-io-failed";

// Whether there was no room for what `error` was about.
bool is_disk_full(const IoError& error);

class DirectoryHealth {
 public:
  DirectoryHealth(Fs& fs, std::string directory) : fs_(fs), directory_(std::move(directory)) {}

  bool offline() const { return offline_.load(std::memory_order_acquire); }

  // Takes the directory offline, unless the disk is only full or the process out of descriptors or memory,
  // and answers the error for the caller. The first reason is kept.
  std::unexpected<Error> fail(const IoError& error, std::string_view path);

  // A file of one partition cannot be used, and the reason is not the disk's. KAFKA_STORAGE_ERROR, and
  // fault_of() the partition's directory names the file.
  std::unexpected<Error> refuse(const char* why, std::string path);
  // The file that was refused last of those that lie in `directory`; empty when there is none.
  std::string fault_of(const std::string& directory) const;
  // "/data/a/orders-0/x.index: it is no regular file": what was refused since the last call, each file once.
  std::vector<std::string> take_faults();

  // How many calls have failed for want of room.
  std::uint64_t times_full() const { return times_full_.load(std::memory_order_relaxed); }

  // For a log whose files and memory may no longer agree, whatever the reason was.
  void take_offline(std::string reason);

  // KAFKA_STORAGE_ERROR when offline.
  Status check() const;

  // "fdatasync: Input/output error (/data/topic-0/00000000000000000000.log)"; empty while online.
  std::string reason() const;

 private:
  const char* fault_of_one_file(const IoError& error, std::string_view path) const;

  Fs& fs_;
  std::string directory_;
  std::atomic<bool> offline_ = false;
  std::atomic<std::uint64_t> times_full_ = 0;
  mutable Mutex mutex_;
  std::string reason_ MILENA_GUARDED_BY(mutex_);
  struct Fault {
    std::string path;
    const char* why;
    bool is_told = false;
  };
  std::map<std::string, Fault, std::less<>> faults_ MILENA_GUARDED_BY(mutex_);  // by directory
};

}  // namespace milena::storage
