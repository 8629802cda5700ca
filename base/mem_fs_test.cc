#include "base/mem_fs.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace milena {
namespace {

std::string contents(MemFs& fs, const std::string& path) {
  const auto bytes = read_file(fs, path);
  return bytes ? std::string(as_text(*bytes)) : to_string(bytes.error());
}

class MemFsTest : public testing::Test {
 protected:
  MemFsTest() {
    EXPECT_TRUE(fs_.make_directories("/data"));
    EXPECT_TRUE(fs_.sync_all("/"));
  }
  std::unique_ptr<File> make(const std::string& path, std::string_view text) {
    auto file = std::move(*fs_.open(path, OpenMode::kCreate));
    EXPECT_TRUE(file->write_at(0, as_bytes(text)));
    return file;
  }
  MemFs fs_;
};

TEST_F(MemFsTest, AKilledProcessLosesNothing) {
  auto file = make("/data/a", "text");
  fs_.crash(MemFs::Loss::kNothing);
  EXPECT_EQ(contents(fs_, "/data/a"), "text");
  EXPECT_EQ(file->write_at(0, as_bytes("x")).error().code, EBADF);
}

TEST_F(MemFsTest, PowerLossKeepsWhatWasSyncedAndNamed) {
  auto file = make("/data/a", "synced");
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(fs_.sync_directory("/data"));
  ASSERT_TRUE(file->write_at(0, as_bytes("lost too")));
  make("/data/b", "unnamed");
  fs_.crash(MemFs::Loss::kUnsynced);
  EXPECT_EQ(contents(fs_, "/data/a"), "synced");
  EXPECT_FALSE(fs_.exists("/data/b"));
}

TEST_F(MemFsTest, ReplaceFileIsAllOrNothingAtEveryCall) {
  for (std::uint64_t nth = 1;; ++nth) {
    MemFs fs(nth);
    ASSERT_TRUE(fs.make_directories("/data"));
    ASSERT_TRUE(replace_file(fs, "/data/a", as_bytes("old")));
    ASSERT_TRUE(fs.sync_all("/"));
    fs.fail({.call = "", .nth = nth, .code = EIO, .for_good = true});
    const bool done = replace_file(fs, "/data/a", as_bytes("the new text")).has_value();
    fs.crash(MemFs::Loss::kSome);
    const auto text = contents(fs, "/data/a");
    EXPECT_TRUE(text == "the new text" || (!done && text == "old")) << nth << ": " << text;
    if (done) break;
  }
}

TEST_F(MemFsTest, SomePagesSurviveAndOthersReadAsZeros) {
  bool saw_hole = false;
  for (std::uint64_t seed = 0; seed < 50 && !saw_hole; ++seed) {
    MemFs fs(seed);
    ASSERT_TRUE(fs.make_directories("/data"));
    auto file = std::move(*fs.open("/data/a", OpenMode::kCreate));
    ASSERT_TRUE(fs.sync_all("/"));
    ASSERT_TRUE(file->write_at(0, as_bytes(std::string(4 * 4096, 'x'))));
    fs.crash(MemFs::Loss::kSome);
    const auto text = contents(fs, "/data/a");
    saw_hole = text.find(std::string(4096, '\0') + 'x') != std::string::npos;
  }
  EXPECT_TRUE(saw_hole);
}

TEST_F(MemFsTest, AFailedSyncLosesPagesThatALaterOneDoesNotBringBack) {
  auto file = make("/data/a", "old");
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(fs_.sync_directory("/data"));
  ASSERT_TRUE(file->write_at(0, as_bytes("new")));
  fs_.fail({.call = "fdatasync", .code = EIO});
  EXPECT_EQ(file->sync().error().code, EIO);
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(contents(fs_, "/data/a"), "new");
  fs_.crash(MemFs::Loss::kUnsynced);
  EXPECT_EQ(contents(fs_, "/data/a"), "old");
}

TEST_F(MemFsTest, FaultsHitTheNthCallOnTheNamedFile) {
  auto a = make("/data/a", "a");
  auto b = make("/data/b", "b");
  fs_.fail({.call = "pwritev", .nth = 2, .code = ENOSPC, .path_part = "/b"});
  EXPECT_TRUE(a->write_at(0, as_bytes("1")));
  EXPECT_TRUE(b->write_at(0, as_bytes("1")));
  EXPECT_TRUE(a->write_at(0, as_bytes("2")));
  EXPECT_EQ(b->write_at(0, as_bytes("2")).error().code, ENOSPC);
  EXPECT_TRUE(b->write_at(0, as_bytes("3")));
}

TEST_F(MemFsTest, RenameMovesTreesAndReplacesFiles) {
  ASSERT_TRUE(fs_.make_directories("/data/topic-0"));
  make("/data/topic-0/log", "records");
  ASSERT_TRUE(fs_.rename("/data/topic-0", "/data/gone"));
  EXPECT_EQ(contents(fs_, "/data/gone/log"), "records");
  EXPECT_EQ(fs_.rename("/data/none", "/data/x").error().code, ENOENT);
  ASSERT_TRUE(fs_.remove_tree("/data/gone"));
  EXPECT_TRUE(fs_.list("/data")->empty());
}

TEST_F(MemFsTest, ALockIsFreeAgainAfterTheProcessDied) {
  auto first = fs_.lock("/data/.lock");
  ASSERT_TRUE(first);
  EXPECT_EQ(fs_.lock("/data/.lock").error().code, EWOULDBLOCK);
  fs_.crash(MemFs::Loss::kNothing);
  EXPECT_TRUE(fs_.lock("/data/.lock"));
}

}  // namespace
}  // namespace milena
