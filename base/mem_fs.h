// MemFs: a file system in memory that can crash and fail, for tests and the simulator.
//
// Keeps apart what a process sees and what the disk has: data becomes durable by File::sync, directory
// entries by sync_directory, everything by sync_all. crash() throws away the former, as a killed process or a
// power failure would; faults make chosen calls fail. Deterministic: the same seed and calls give the same
// files.
//
// Thread-safe. Files opened before a crash answer EBADF after it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fs.h"
#include "base/mutex.h"
#include "base/rng.h"

namespace milena {

class MemFs final : public Fs {
 public:
  explicit MemFs(std::uint64_t seed = 1);
  ~MemFs() override;

  IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  IoStatus rename(const std::string& from, const std::string& to) override;
  IoStatus remove(const std::string& path) override;
  IoStatus remove_tree(const std::string& path) override;
  IoStatus make_directories(const std::string& path) override;
  IoResult<std::vector<DirEntry>> list(const std::string& path) override;
  bool exists(const std::string& path) override;
  IoStatus sync_directory(const std::string& path) override;
  IoStatus sync_all(const std::string& path) override;
  IoResult<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  enum class Loss {
    kNothing,   // the process was killed
    kUnsynced,  // power failed before anything else reached the disk
    // Power failed at some moment: of each directory a prefix of its changes, of each file any of its dirty
    // pages has reached the disk, maybe one of them only in part; a cut file may have its old length.
    kSome,
  };
  void crash(Loss loss);

  struct Fault {
    std::string_view call = {};       // "pwritev", "fdatasync", ...: IoError::call; empty for any
    std::uint64_t nth = 1;            // the nth such call from now fails
    int code = 0;                     // with this errno
    bool for_good = false;            // and so do all that follow
    std::string_view path_part = {};  // only on paths that contain this
  };
  // A failing write leaves a part of its bytes behind; a failing fdatasync leaves dirty pages behind that
  // look clean, as Linux does: only another write can save them.
  void fail(const Fault& fault);
  void clear_faults();
  // Calls so far that a fault could have hit.
  std::uint64_t calls() const;

 private:
  struct Node;
  class MemFile;
  class MemLock;
  struct ArmedFault {
    std::string call;
    std::uint64_t left = 0;
    int code = 0;
    bool for_good = false;
    std::string path_part;
  };
  struct Place {
    std::shared_ptr<Node> directory;
    std::string name;
  };

  std::shared_ptr<Node> find(std::string_view path) const MILENA_REQUIRES(mutex_);
  // The directory that holds `path`, and its name there; null when that directory is missing.
  Place place_of(std::string_view path) const MILENA_REQUIRES(mutex_);
  // The errno a fault gives this call, or 0.
  int injected(std::string_view call, std::string_view path) MILENA_REQUIRES(mutex_);
  void lose(Node& node, Loss loss) MILENA_REQUIRES(mutex_);

  mutable Mutex mutex_;
  SeededRng rng_ MILENA_GUARDED_BY(mutex_);
  std::shared_ptr<Node> root_ MILENA_GUARDED_BY(mutex_);
  std::uint64_t generation_ MILENA_GUARDED_BY(mutex_) = 0;
  std::uint64_t calls_ MILENA_GUARDED_BY(mutex_) = 0;
  std::vector<ArmedFault> faults_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena
