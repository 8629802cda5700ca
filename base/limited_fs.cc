#include "base/limited_fs.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace milena {
namespace {

constexpr std::size_t kClosedAtOnceMax = 64;
constexpr Instant kWindow{600'000};
constexpr Instant kWarnEvery{3'600'000};
constexpr Instant kReportEvery{60'000};

// One less of something, when it is destroyed.
class Counted {
 public:
  Counted(std::shared_ptr<LimitedFs::Counts> counts, std::atomic<std::size_t> LimitedFs::Counts::* which)
      : counts_(std::move(counts)), which_(which) {
    ((*counts_).*which_).fetch_add(1, std::memory_order_relaxed);
  }
  ~Counted() { ((*counts_).*which_).fetch_sub(1, std::memory_order_relaxed); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  const std::shared_ptr<LimitedFs::Counts>& counts() const { return counts_; }

 private:
  std::shared_ptr<LimitedFs::Counts> counts_;
  std::atomic<std::size_t> LimitedFs::Counts::* which_;
};

class LimitedMapping final : public Mapping {
 public:
  LimitedMapping(std::unique_ptr<Mapping> mapping, std::shared_ptr<LimitedFs::Counts> counts)
      : counted_(std::move(counts), &LimitedFs::Counts::mappings), mapping_(std::move(mapping)) {}
  BytesView bytes() const override { return mapping_->bytes(); }

 private:
  Counted counted_;
  std::unique_ptr<Mapping> mapping_;
};

}  // namespace

// A file whose opening was counted.
class LimitedFile final : public File {
 public:
  LimitedFile(LimitedFs& fs, std::unique_ptr<File> file, std::shared_ptr<LimitedFs::Counts> counts)
      : fs_(fs), counted_(std::move(counts), &LimitedFs::Counts::files), file_(std::move(file)) {}

  IoResult<std::size_t> read_at(std::uint64_t offset, MutableBytes into) const override {
    return file_->read_at(offset, into);
  }
  IoStatus write_at(std::uint64_t offset, std::span<const BytesView> pieces) override {
    return file_->write_at(offset, pieces);
  }
  IoStatus sync() override { return file_->sync(); }
  IoStatus truncate(std::uint64_t size) override { return file_->truncate(size); }
  IoStatus reserve(std::uint64_t offset, std::uint64_t length) override {
    return file_->reserve(offset, length);
  }
  IoResult<std::uint64_t> size() const override { return file_->size(); }
  IoResult<std::unique_ptr<Mapping>> map() const override {
    fs_.make_room(counted_.counts()->mappings, fs_.limits_.mappings);
    auto mapping = fs_.retried([&] { return file_->map(); });  // whoever asked can read instead
    if (!mapping) return mapping;
    return std::make_unique<LimitedMapping>(*std::move(mapping), counted_.counts());
  }
  int descriptor() const override { return file_->descriptor(); }
  bool is_over_limit() const override { return fs_.open_files() > fs_.limits_.files; }

 private:
  LimitedFs& fs_;
  Counted counted_;
  std::unique_ptr<File> file_;
};

bool is_out_of_resources(const IoError& error) {
  const bool short_of_some = error.code == EMFILE || error.code == ENFILE || error.code == ENOMEM;
  // What a failed sync or rename leaves behind is not known, whatever the reason was.
  const std::string_view call = error.call;
  return short_of_some && call.find("sync") == std::string_view::npos && call != "rename";
}

LimitedFs::LimitedFs(Fs& fs, const Limits& limits, const Clock& clock, const Logger& log)
    : fs_(fs), limits_(limits), clock_(clock), log_(log), window_start_(clock.now()) {}

LimitedFs::~LimitedFs() = default;

template <class Call>
auto LimitedFs::retried(const Call& call) -> decltype(call()) {
  constexpr int kRetries = 8;  // others take what is given back, too
  auto result = call();
  for (int i = 0; i < kRetries && !result && is_out_of_resources(result.error()); ++i) {
    if (!close_some(1)) break;
    result = call();
  }
  return result;
}

template <class Call>
auto LimitedFs::with_retries(const Call& call) -> decltype(call()) {
  auto result = retried(call);
  if (!result && is_out_of_resources(result.error())) report_failure(result.error());
  return result;
}

void LimitedFs::make_room(const std::atomic<std::size_t>& count, std::size_t limit) {
  if (count.load(std::memory_order_relaxed) < limit) return;
  // Several at once, so that not every open has to look for one.
  (void)close_some(std::clamp<std::size_t>(limit / 16, 1, kClosedAtOnceMax));
}

bool LimitedFs::close_some(std::size_t wanted) {
  const MutexLock lock(mutex_);
  const std::size_t before = total();
  const std::size_t target = before > wanted ? before - wanted : 0;
  // The second turn finds unused what the first one has found used.
  bool enough = ask(FileHolder::Urgency::kUnused, 2, target);
  if (!enough && total() >= before) enough = ask(FileHolder::Urgency::kAll, 1, target);
  const std::size_t after = total();
  if (after >= before) return enough;
  closed_early_.fetch_add(before - after, std::memory_order_relaxed);
  warn_if_often(before - after);
  return true;
}

bool LimitedFs::ask(FileHolder::Urgency urgency, std::size_t turns, std::size_t target) {
  for (std::size_t left = holders_ * turns; left > 0 && hand_ != nullptr; --left) {
    if (total() <= target) return true;
    FileHolder& holder = *std::exchange(hand_, hand_->next_);
    if (!holder.release_files(urgency)) unlink(holder);
  }
  return total() <= target;
}

void LimitedFs::warn_if_often(std::size_t closed) {
  const Instant now = clock_.now();
  if (now - window_start_ >= kWindow) {
    window_start_ = now;
    closed_in_window_ = 0;
  }
  closed_in_window_ += closed;
  if (closed_in_window_ < limits_.files || (warned_at_ && now - *warned_at_ < kWarnEvery)) return;
  warned_at_ = now;
  log_.warn(
      "more log files are in use than may be open at once ({}): they are closed and opened again all the "
      "time, which works but is slow. Raise the limit of open files (ulimit -n, or LimitNOFILE= of a systemd "
      "unit) and restart",
      limits_.files);
}

void LimitedFs::report_failure(const IoError& error) {
  {
    const MutexLock lock(mutex_);
    const Instant now = clock_.now();
    if (reported_at_ && now - *reported_at_ < kReportEvery) return;
    reported_at_ = now;
  }
  log_.error(
      "a file cannot be used for want of resources ({}), with {} files and {} mappings open: requests fail "
      "until "
      "some are free. Raise the limit of open files (ulimit -n, fs.file-max) or vm.max_map_count",
      to_string(error), open_files(), mappings());
}

void LimitedFs::add_holder(FileHolder& holder) {
  const MutexLock lock(mutex_);
  if (holder.next_ != nullptr) return;
  ++holders_;
  if (hand_ == nullptr) {
    hand_ = holder.next_ = holder.previous_ = &holder;
    return;
  }
  // Behind the hand: it is asked last.
  holder.next_ = hand_;
  holder.previous_ = hand_->previous_;
  holder.previous_->next_ = &holder;
  hand_->previous_ = &holder;
}

void LimitedFs::remove_holder(FileHolder& holder) {
  const MutexLock lock(mutex_);
  if (holder.next_ != nullptr) unlink(holder);
}

void LimitedFs::unlink(FileHolder& holder) {
  --holders_;
  if (hand_ == &holder) hand_ = holder.next_ == &holder ? nullptr : holder.next_;
  holder.previous_->next_ = holder.next_;
  holder.next_->previous_ = holder.previous_;
  holder.next_ = holder.previous_ = nullptr;
}

IoResult<std::unique_ptr<File>> LimitedFs::open(const std::string& path, OpenMode mode) {
  make_room(counts_->files, limits_.files);
  auto file = with_retries([&] { return fs_.open(path, mode); });
  if (!file) return file;
  auto counted = std::make_unique<LimitedFile>(*this, *std::move(file), counts_);
  const std::size_t open = open_files();
  if (open > counts_->most_files.load(std::memory_order_relaxed))
    counts_->most_files.store(open, std::memory_order_relaxed);
  return counted;
}

IoStatus LimitedFs::rename(const std::string& from, const std::string& to) { return fs_.rename(from, to); }

IoStatus LimitedFs::remove(const std::string& path) { return fs_.remove(path); }

IoStatus LimitedFs::remove_tree(const std::string& path) {
  return with_retries([&] { return fs_.remove_tree(path); });
}

IoStatus LimitedFs::make_directories(const std::string& path) { return fs_.make_directories(path); }

IoResult<std::vector<DirEntry>> LimitedFs::list(const std::string& path) {
  return with_retries([&] { return fs_.list(path); });
}

bool LimitedFs::exists(const std::string& path) { return fs_.exists(path); }

IoStatus LimitedFs::sync_directory(const std::string& path) {
  return with_retries([&] { return fs_.sync_directory(path); });
}

IoStatus LimitedFs::sync_all(const std::string& path) {
  return with_retries([&] { return fs_.sync_all(path); });
}

IoResult<FsSpace> LimitedFs::space(const std::string& path) { return fs_.space(path); }

IoResult<std::unique_ptr<FileLock>> LimitedFs::lock(const std::string& path) {
  return with_retries([&] { return fs_.lock(path); });
}

}  // namespace milena
