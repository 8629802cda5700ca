#include "base/limited_fs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "base/mem_fs.h"
#include "base/posix_fs.h"

namespace milena {
namespace {

// Keeps one file open, until it is asked for it.
class OneFile final : public FileHolder {
 public:
  explicit OneFile(LimitedFs& fs) : fs_(fs) {}
  ~OneFile() override { fs_.remove_holder(*this); }

  void open(const std::string& path) {
    used_ = true;
    if (file_) return;
    auto file = fs_.open(path, OpenMode::kCreate);
    ASSERT_TRUE(file) << to_string(file.error());
    file_ = std::move(*file);
    fs_.add_holder(*this);
  }
  bool is_open() const { return file_ != nullptr; }
  std::shared_ptr<File> file() const { return file_; }
  void set_busy(bool busy) { busy_ = busy; }

  bool release_files(Urgency urgency) override {
    if (busy_) return true;
    const bool keep = urgency == Urgency::kUnused && std::exchange(used_, false);
    if (!keep && file_.use_count() == 1) file_.reset();
    return is_open();
  }

 private:
  LimitedFs& fs_;
  std::shared_ptr<File> file_;
  bool used_ = false;
  bool busy_ = false;
};

class LimitedFsTest : public testing::Test {
 protected:
  LimitedFsTest() { EXPECT_TRUE(memory_.make_directories("/data")); }

  std::string path(std::size_t i) const { return "/data/" + std::to_string(i); }
  OneFile& open(std::size_t i) {
    OneFile& holder = holders_.try_emplace(i, fs_).first->second;
    holder.open(path(i));
    return holder;
  }
  std::size_t lines_with(std::string_view text) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        lines_, [&](const std::string& line) { return line.find(text) != std::string::npos; }));
  }

  MemFs memory_;
  ManualClock clock_;
  std::vector<std::string> lines_;
  Logger log_{LogLevel::kWarn,
              [](void* lines, LogLevel, std::string_view line) {
                static_cast<std::vector<std::string>*>(lines)->emplace_back(line);
              },
              &lines_};
  LimitedFs fs_{memory_, {.files = 4, .mappings = 4}, clock_, log_};
  std::map<std::size_t, OneFile> holders_;
};

TEST_F(LimitedFsTest, ClosesTheLeastRecentlyUsedFileAtTheLimit) {
  for (std::size_t i = 0; i < 4; ++i) open(i);
  open(4);  // everybody has used theirs since: the oldest goes, once nobody else is left
  EXPECT_FALSE(holders_.at(0).is_open());
  open(1);
  open(5);
  EXPECT_TRUE(holders_.at(1).is_open()) << "used a moment ago";
  EXPECT_FALSE(holders_.at(2).is_open());
  EXPECT_EQ(fs_.open_files(), 4u);
  EXPECT_EQ(fs_.closed_early(), 2u);
}

TEST_F(LimitedFsTest, AFileThatIsBeingReadStaysOpen) {
  const auto reader = open(0).file();
  ASSERT_TRUE(reader->write_at(0, as_bytes("bytes")));
  for (std::size_t i = 1; i < 10; ++i) open(i);
  std::array<std::byte, 5> bytes;
  EXPECT_EQ(*reader->read_at(0, bytes), 5u);
  EXPECT_TRUE(holders_.at(0).is_open());
  EXPECT_EQ(fs_.open_files(), 4u);
  EXPECT_FALSE(reader->is_over_limit());
}

TEST_F(LimitedFsTest, GoesBeyondTheLimitWhenEverybodyIsBusy) {
  for (std::size_t i = 0; i < 4; ++i) open(i).set_busy(true);
  open(4).set_busy(true);
  EXPECT_TRUE(holders_.at(4).file()->is_over_limit());
  open(5);
  EXPECT_EQ(fs_.open_files(), 6u) << "the limit is where closing begins, not where opening ends";
  for (std::size_t i = 0; i < 4; ++i) holders_.at(i).set_busy(false);
  open(6);
  open(7);
  EXPECT_LE(fs_.open_files(), 6u);
}

TEST_F(LimitedFsTest, ClosesFilesAndTriesAgainWhenTheSystemHasNoMore) {
  for (const int code : {EMFILE, ENFILE, ENOMEM}) {
    SCOPED_TRACE(code);
    clock_.advance(Instant{600'000});
    open(0);
    memory_.fail({.call = "open", .code = code});
    EXPECT_TRUE(fs_.open("/data/other", OpenMode::kCreate));
    EXPECT_FALSE(holders_.at(0).is_open());
    open(0);
    memory_.fail({.call = "opendir", .code = code});
    EXPECT_TRUE(fs_.list("/data"));
    EXPECT_FALSE(holders_.at(0).is_open());
  }
  EXPECT_TRUE(lines_.empty()) << "nothing failed, and it is not often";
}

TEST_F(LimitedFsTest, FailsWhenThereIsNothingToCloseAndSaysSoOnceAMinute) {
  memory_.fail({.call = "open", .code = EMFILE, .for_good = true});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fs_.open("/data/a", OpenMode::kCreate).error().code, EMFILE);
  EXPECT_EQ(lines_with("for want of resources"), 1u);
  clock_.advance(Instant{60'000});
  EXPECT_FALSE(fs_.open("/data/a", OpenMode::kCreate));
  EXPECT_EQ(lines_with("for want of resources"), 2u);
  EXPECT_EQ(lines_with("ulimit -n"), 2u) << "and what to do";
}

TEST_F(LimitedFsTest, OtherErrorsAreNoReasonToCloseFiles) {
  open(0);
  memory_.fail({.call = "open", .code = EIO});
  EXPECT_EQ(fs_.open("/data/a", OpenMode::kCreate).error().code, EIO);
  EXPECT_TRUE(holders_.at(0).is_open());
}

TEST_F(LimitedFsTest, WarnsOnceAnHourWhenFilesAreClosedAllTheTime) {
  for (std::size_t i = 0; i < 7; ++i) open(i);
  EXPECT_TRUE(lines_.empty()) << "three of four were closed once";
  for (std::size_t i = 0; i < 100; ++i) open(i % 8);
  EXPECT_EQ(lines_with("closed and opened again"), 1u);
  clock_.advance(Instant{3'600'000});
  for (std::size_t i = 0; i < 100; ++i) open(i % 8);
  EXPECT_EQ(lines_with("closed and opened again"), 2u);
}

TEST_F(LimitedFsTest, ANowAndThenIsNotOften) {
  for (std::size_t i = 0; i < 100; ++i) {
    open(i % 8);
    clock_.advance(Instant{300'000});
  }
  EXPECT_TRUE(lines_.empty());
}

TEST_F(LimitedFsTest, CountsMappingsApart) {
  const auto file = *fs_.open("/data/a", OpenMode::kCreate);
  auto mapping = file->map();
  ASSERT_TRUE(mapping);
  EXPECT_EQ(fs_.mappings(), 1u);
  EXPECT_EQ(fs_.open_files(), 1u);
  mapping->reset();
  EXPECT_EQ(fs_.mappings(), 0u);
}

TEST_F(LimitedFsTest, HoldersComeAndGoOnSeveralThreads) {
  PosixFs disk;
  std::string pattern = (std::filesystem::temp_directory_path() / "milena-XXXXXX").string();
  const std::string directory = ::mkdtemp(pattern.data());
  {
    LimitedFs fs(disk, {.files = 8, .mappings = 8}, clock_, log_);
    // A holder that more than one thread asks, as a partition is.
    struct Shared final : FileHolder {
      explicit Shared(LimitedFs& fs) : fs_(fs) {}
      ~Shared() override { fs_.remove_holder(*this); }
      void write(const std::string& path) {
        const MutexLock lock(mutex_);
        if (!file_) {
          auto file = fs_.open(path, OpenMode::kCreate);
          ASSERT_TRUE(file);
          file_ = std::move(*file);
          fs_.add_holder(*this);
        }
        ASSERT_TRUE(file_->write_at(0, as_bytes("x")));
      }
      bool release_files(Urgency) override {
        if (!mutex_.try_lock()) return true;
        file_.reset();
        mutex_.unlock();
        return false;
      }
      LimitedFs& fs_;
      Mutex mutex_;
      std::unique_ptr<File> file_ MILENA_GUARDED_BY(mutex_);
    };
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int round = 0; round < 20; ++round) {
          std::vector<std::unique_ptr<Shared>> mine;
          for (std::size_t i = 0; i < 10; ++i) mine.push_back(std::make_unique<Shared>(fs));
          for (int i = 0; i < 100; ++i) {
            const auto at = static_cast<std::size_t>(i * 7) % mine.size();
            mine[at]->write(join(directory, std::to_string(t * 10 + at)));
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(fs.open_files(), 0u);
  }
  std::filesystem::remove_all(directory);
}

TEST(OutOfResources, IsNotABrokenDiskButAFailedSyncIs) {
  EXPECT_TRUE(is_out_of_resources({EMFILE, "open"}));
  EXPECT_TRUE(is_out_of_resources({ENFILE, "opendir"}));
  EXPECT_TRUE(is_out_of_resources({ENOMEM, "mmap"}));
  EXPECT_FALSE(is_out_of_resources({EIO, "open"}));
  EXPECT_FALSE(is_out_of_resources({ENOMEM, "fdatasync"})) << "who knows what has reached the disk";
}

}  // namespace
}  // namespace milena
