#include "base/posix_fs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace milena {
namespace {

class PosixFsTest : public testing::Test {
 protected:
  PosixFsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "milena-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~PosixFsTest() override { std::filesystem::remove_all(directory_); }

  std::string path(std::string_view name) const { return join(directory_, name); }

  PosixFs fs_;
  std::string directory_;
};

TEST_F(PosixFsTest, WritesPiecesInOrderAndReadsThemBack) {
  auto file = fs_.open(path("log"), OpenMode::kCreate);
  ASSERT_TRUE(file);
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i)
    texts.push_back(std::to_string(i) + (i % 7 == 0 ? "" : std::string(100, 'x')));
  std::vector<BytesView> pieces;
  std::string expected;
  for (const auto& text : texts) {
    pieces.push_back(as_bytes(text));
    expected += text;
  }
  ASSERT_TRUE((*file)->write_at(3, pieces));
  std::vector<std::byte> back(expected.size() + 10);
  const auto read = (*file)->read_at(3, back);
  ASSERT_TRUE(read);
  EXPECT_EQ(as_text(BytesView(back).first(*read)), expected);
  EXPECT_EQ((*file)->size(), expected.size() + 3);
  const auto mapping = (*file)->map();
  ASSERT_TRUE(mapping);
  EXPECT_EQ(as_text((*mapping)->bytes().subspan(3)), expected);
}

TEST_F(PosixFsTest, ReserveKeepsTheLength) {
  auto file = fs_.open(path("log"), OpenMode::kCreate);
  ASSERT_TRUE((*file)->reserve(0, 1 << 20));
  EXPECT_EQ((*file)->size(), 0u);
}

TEST_F(PosixFsTest, ReplaceFileLeavesOnlyTheNewBytes) {
  ASSERT_TRUE(replace_file(fs_, path("checkpoint"), as_bytes("old and long")));
  ASSERT_TRUE(replace_file(fs_, path("checkpoint"), as_bytes("new")));
  EXPECT_EQ(as_text(*read_file(fs_, path("checkpoint"))), "new");
  EXPECT_EQ(fs_.list(directory_)->size(), 1u);
}

TEST_F(PosixFsTest, ErrorsNameTheCallAndTheReason) {
  const auto missing = fs_.open(path("missing"), OpenMode::kRead);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ENOENT);
  EXPECT_EQ(to_string(missing.error()), "open: No such file or directory");
}

TEST_F(PosixFsTest, ASecondLockOnTheSameFileIsRefused) {
  auto first = fs_.lock(path(".lock"));
  ASSERT_TRUE(first);
  const auto second = fs_.lock(path(".lock"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EWOULDBLOCK);
  first->reset();
  EXPECT_TRUE(fs_.lock(path(".lock")));
}

TEST_F(PosixFsTest, TheLockOfADirectorySurvivesTheRemovalOfItsFile) {
  const auto first = fs_.lock(path(".lock"));
  ASSERT_TRUE(first);
  ASSERT_TRUE(fs_.remove(path(".lock")));
  const auto second = fs_.lock(path(".lock"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EWOULDBLOCK);
}

// Apache Kafka takes Java's FileLock, which is a record lock of the process.
TEST_F(PosixFsTest, ALockIsSeenByRecordLocksAndSeesThem) {
  const auto lock_in_child = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      const int fd = ::open(path(".lock").c_str(), O_RDWR | O_CREAT, 0644);
      struct flock whole{};
      whole.l_type = F_WRLCK;
      whole.l_whence = SEEK_SET;
      ::_exit(::fcntl(fd, F_SETLK, &whole) == 0 ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status == 0;
  };
  EXPECT_TRUE(lock_in_child());
  const auto ours = fs_.lock(path(".lock"));
  ASSERT_TRUE(ours);
  EXPECT_FALSE(lock_in_child());
}

TEST_F(PosixFsTest, WhatIsNoRegularFileIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0644), 0);
  EXPECT_EQ(fs_.open(path("fifo"), OpenMode::kRead).error().code, ENOTSUP);
  ASSERT_TRUE(fs_.make_directories(path("folder")));
  EXPECT_EQ(fs_.open(path("folder"), OpenMode::kRead).error().code, EISDIR);
}

TEST_F(PosixFsTest, ReadsFilesThatTheKernelMakesUp) {
  const auto bytes = read_file(fs_, "/proc/sys/vm/max_map_count");
  ASSERT_TRUE(bytes);
  EXPECT_GT(std::stoi(std::string(as_text(*bytes))), 0) << "their size says 0";
  ASSERT_TRUE(fs_.open(path("empty"), OpenMode::kCreate));
  EXPECT_TRUE(read_file(fs_, path("empty"))->empty());
}

}  // namespace
}  // namespace milena
