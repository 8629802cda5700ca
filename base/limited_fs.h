// LimitedFs: an Fs that stays within a number of open files and mappings.
//
// Wraps another Fs. At the limit, and when the system itself has no more (EMFILE, ENFILE, ENOMEM), it asks
// the file holders to close what they do not use, the least recently used first, and tries again. A file
// that somebody still reads stays open, over the limit if need be: the limit is where closing begins, the
// system's own is where calls fail.
//
// Owned by the broker, around the Fs it is given. Thread-safe. Its mutex may be taken under a holder's, and
// holders' mutexes are only ever tried under it, so that nobody waits in a circle.
// Always:  open_files() and mappings() count what is really open, whoever holds it.
// Fails:   as the wrapped Fs. EMFILE and its like come through only when no holder has anything to close.
// Says:    one warning, repeated at most every hour, once files are closed and opened again all the time; one
//          error, repeated at most every minute, when it fails for want of resources.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mutex.h"

namespace milena {

// Whether the process or the system has run out of descriptors, mappings or kernel memory: nothing is wrong
// with the disk, and the same call may succeed later.
bool is_out_of_resources(const IoError& error);

class LimitedFs final : public Fs {
 public:
  struct Limits {
    std::size_t files = 0;     // open at once
    std::size_t mappings = 0;  // mapped at once
  };

  // All of these outlive the object and the files it opened.
  LimitedFs(Fs& fs, const Limits& limits, const Clock& clock, const Logger& log);
  ~LimitedFs() override;

  std::size_t open_files() const { return counts_->files.load(std::memory_order_relaxed); }
  std::size_t mappings() const { return counts_->mappings.load(std::memory_order_relaxed); }
  std::size_t most_open_files() const { return counts_->most_files.load(std::memory_order_relaxed); }
  // Files and mappings that holders were asked to close, and did.
  std::uint64_t closed_early() const { return closed_early_.load(std::memory_order_relaxed); }

  IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  IoStatus rename(const std::string& from, const std::string& to) override;
  IoStatus remove(const std::string& path) override;
  IoStatus remove_tree(const std::string& path) override;
  IoStatus make_directories(const std::string& path) override;
  IoResult<std::vector<DirEntry>> list(const std::string& path) override;
  bool exists(const std::string& path) override;
  IoStatus sync_directory(const std::string& path) override;
  IoStatus sync_all(const std::string& path) override;
  IoResult<FsSpace> space(const std::string& path) override;
  IoResult<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  void add_holder(FileHolder& holder) override;
  void remove_holder(FileHolder& holder) override;

  // What is open. Shared with the mappings, which may outlive the files.
  struct Counts {
    std::atomic<std::size_t> files = 0;
    std::atomic<std::size_t> most_files = 0;
    std::atomic<std::size_t> mappings = 0;
  };

 private:
  friend class LimitedFile;

  // `call()` again as long as it fails for want of resources and some were given back.
  template <class Call>
  auto retried(const Call& call) -> decltype(call());
  // The same, and a failure is reported.
  template <class Call>
  auto with_retries(const Call& call) -> decltype(call());
  void make_room(const std::atomic<std::size_t>& count, std::size_t limit);
  // Asks holders until `wanted` files and mappings were closed or none of them has more. Whether any was.
  bool close_some(std::size_t wanted);
  bool ask(FileHolder::Urgency urgency, std::size_t turns, std::size_t target) MILENA_REQUIRES(mutex_);
  void unlink(FileHolder& holder) MILENA_REQUIRES(mutex_);
  std::size_t total() const { return open_files() + mappings(); }
  void warn_if_often(std::size_t closed) MILENA_REQUIRES(mutex_);
  void report_failure(const IoError& error);

  Fs& fs_;
  const Limits limits_;
  const Clock& clock_;
  const Logger& log_;
  const std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
  std::atomic<std::uint64_t> closed_early_ = 0;

  Mutex mutex_;
  // A ring; the hand points at whom to ask next. Those who have used their files since they were last asked
  // keep them for another turn, which comes close to "least recently used" and costs a use nothing.
  FileHolder* hand_ MILENA_GUARDED_BY(mutex_) = nullptr;
  std::size_t holders_ MILENA_GUARDED_BY(mutex_) = 0;
  std::size_t closed_in_window_ MILENA_GUARDED_BY(mutex_) = 0;
  Instant window_start_ MILENA_GUARDED_BY(mutex_);
  std::optional<Instant> warned_at_ MILENA_GUARDED_BY(mutex_);
  std::optional<Instant> reported_at_ MILENA_GUARDED_BY(mutex_);
};

}  // namespace milena
