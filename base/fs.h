// Fs and File: the only way to touch a disk. PosixFs is the real one; MemFs (tests, simulator) can lose
// unsynced writes and fail any call.
//
// All calls block. Implementations are thread-safe; one File may be used from several threads as long as
// writes to it do not overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace milena {

// What went wrong with a file: the call and its errno.
struct IoError {
  int code = 0;
  const char* call = "";
};

template <class T>
using IoResult = std::expected<T, IoError>;
using IoStatus = IoResult<void>;

// "pwrite: No space left on device"
std::string to_string(const IoError& error);

// Read-only bytes of a file, valid while this object lives.
class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual BytesView bytes() const = 0;
};

class File {
 public:
  virtual ~File() = default;
  // Reads until `into` is full or the file ends; returns the bytes read.
  virtual IoResult<std::size_t> read_at(std::uint64_t offset, MutableBytes into) const = 0;
  // Writes all pieces, one after the other, at offset. On an error some of them may have been written.
  virtual IoStatus write_at(std::uint64_t offset, std::span<const BytesView> pieces) = 0;
  // Data and length are on stable storage when this returns (fdatasync).
  virtual IoStatus sync() = 0;
  virtual IoStatus truncate(std::uint64_t size) = 0;
  // Reserves blocks without changing the length. A file system that cannot do it answers success.
  virtual IoStatus reserve(std::uint64_t offset, std::uint64_t length) = 0;
  virtual IoResult<std::uint64_t> size() const = 0;
  // Maps the whole file for random reads. The file must not shrink while the mapping lives.
  virtual IoResult<std::unique_ptr<Mapping>> map() const = 0;
  // For sendfile; -1 where there is no descriptor.
  virtual int descriptor() const { return -1; }
  // More files are open than should be (LimitedFs): whoever would keep this one for long does better to copy.
  virtual bool is_over_limit() const { return false; }

  IoStatus write_at(std::uint64_t offset, BytesView bytes) { return write_at(offset, {&bytes, 1}); }
};

enum class OpenMode {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreate,     // created when missing, kept when there
  kTruncate,   // created when missing, emptied when there
};

struct DirEntry {
  std::string name;
  bool is_directory = false;
  auto operator<=>(const DirEntry&) const = default;
};

// Of the file system that holds a path.
struct FsSpace {
  std::uint64_t total_bytes = 0;
  std::uint64_t usable_bytes = 0;  // by this process
};

// Held until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Somebody who keeps files or mappings open for later, and can do without them: a partition's log. See
// LimitedFs.
//
// Removed from the file system before it is destroyed.
class FileHolder {
 public:
  enum class Urgency {
    kUnused,  // close what was not used since the last call
    kAll,     // close everything that is not being used right now
  };

  FileHolder() = default;
  virtual ~FileHolder() = default;
  FileHolder(const FileHolder&) = delete;
  FileHolder& operator=(const FileHolder&) = delete;

  // Closes files and mappings. False when nothing is left open. Called on any thread, which may hold locks of
  // its own, even this holder's: it must not wait, and closes nothing when it would have to.
  virtual bool release_files(Urgency urgency) = 0;

 private:
  friend class LimitedFs;
  FileHolder* previous_ = nullptr;  // in the ring of those who may have something open
  FileHolder* next_ = nullptr;
};

// Paths are plain strings with '/' between parts.
class Fs {
 public:
  virtual ~Fs() = default;
  virtual IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Atomically replaces `to`.
  virtual IoStatus rename(const std::string& from, const std::string& to) = 0;
  // A missing file is an error (ENOENT).
  virtual IoStatus remove(const std::string& path) = 0;
  // Removes a directory and everything in it; a missing one is no error.
  virtual IoStatus remove_tree(const std::string& path) = 0;
  // Creates the directory and its parents; an existing one is no error.
  virtual IoStatus make_directories(const std::string& path) = 0;
  // Sorted by name.
  virtual IoResult<std::vector<DirEntry>> list(const std::string& path) = 0;
  virtual bool exists(const std::string& path) = 0;
  // Makes renames, creations and removals in this directory durable.
  virtual IoStatus sync_directory(const std::string& path) = 0;
  // Everything written so far to the file system that holds `path` is on stable storage (syncfs).
  virtual IoStatus sync_all(const std::string& path) = 0;
  // ENOSYS where it is not known.
  virtual IoResult<FsSpace> space(const std::string& path);
  // Exclusive between processes; EWOULDBLOCK when another one holds it.
  virtual IoResult<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;

  // `holder` has opened something that it keeps; it may be asked to close it. Cheap when it was added before.
  virtual void add_holder(FileHolder& holder) { (void)holder; }
  virtual void remove_holder(FileHolder& holder) { (void)holder; }
};

// The whole file. ENOENT when missing; EFBIG when larger than `max` bytes.
IoResult<std::vector<std::byte>> read_file(Fs& fs, const std::string& path, std::size_t max = 64 << 20);

// tmp + write + sync + rename + sync of the directory: after a crash the file holds the old or the new bytes.
IoStatus replace_file(Fs& fs, const std::string& path, BytesView bytes);

std::string join(std::string_view directory, std::string_view name);
std::string parent_directory(std::string_view path);

}  // namespace milena
