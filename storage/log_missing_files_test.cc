// Files of a log that somebody renamed, moved away, replaced or appended to: a start refuses the log and
// names the file, or keeps what it cannot join; it destroys no whole batch.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/log_fixture.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

class LogMissingFiles : public ::testing::Test {
 protected:
  static LogConfig small_segments() {
    LogConfig config;
    config.segment_bytes = 1000;
    return config;
  }
  // Some segments, of which nothing is flushed.
  void fill(int batches = 30) {
    for (int i = 0; i < batches; ++i)
      ASSERT_TRUE(f_.append({.value_size = 80, .seed = static_cast<std::uint64_t>(i)}));
    segments_ = names(kLogSuffix);
    ASSERT_GE(segments_.size(), 3u);
  }
  std::vector<std::string> names(std::string_view suffix) {
    std::vector<std::string> out;
    for (const auto& entry : *f_.fs().list("/data/topic-0"))
      if (entry.name.ends_with(suffix)) out.push_back(f_.path(entry.name));
    return out;
  }
  void append_to(const std::string& path, std::string_view text) {
    const auto file = *f_.fs().open(path, OpenMode::kReadWrite);
    ASSERT_TRUE(file->write_at(*file->size(), as_bytes(text)));
  }
  std::vector<std::vector<std::byte>> all_bytes() {
    std::vector<std::vector<std::byte>> out;
    for (const auto& path : names(kLogSuffix)) out.push_back(*read_file(f_.fs(), path));
    return out;
  }
  // The log is refused, the file is named, and no segment changes.
  void expect_refused(const std::string& file) {
    const auto before = all_bytes();
    ASSERT_FALSE(f_.crash(MemFs::Loss::kNothing));
    EXPECT_EQ(f_.directory().health().fault_of("/data/topic-0"), file) << f_.error().why;
    EXPECT_FALSE(f_.directory().health().offline());
    EXPECT_EQ(all_bytes(), before);
  }

  LogFixture f_{1, small_segments()};
  std::vector<std::string> segments_;
};

TEST_F(LogMissingFiles, ARenamedSegmentIsRefused) {
  fill();
  const std::string renamed = f_.path(segment_file_name(25, kLogSuffix));
  ASSERT_TRUE(f_.fs().rename(segments_.back(), renamed));
  expect_refused(renamed);
  ASSERT_TRUE(f_.fs().rename(renamed, segments_.back()));
  ASSERT_TRUE(f_.open());
  EXPECT_EQ(read_all(f_.log()).size(), 30u);
}

TEST_F(LogMissingFiles, ARenamedSegmentIsRefusedAfterACleanStop) {
  fill();
  ASSERT_TRUE(f_.close());
  const std::string renamed = f_.path(segment_file_name(29, kLogSuffix));
  ASSERT_TRUE(f_.fs().rename(segments_.back(), renamed));
  ASSERT_FALSE(f_.open());
  EXPECT_EQ(f_.directory().health().fault_of("/data/topic-0"), renamed);
}

TEST_F(LogMissingFiles, TheOnlySegmentUnderAnotherNameIsRefused) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(f_.append({.value_size = 80}));
  ASSERT_EQ(names(kLogSuffix).size(), 1u);
  const std::string renamed = f_.path(segment_file_name(100, kLogSuffix));
  ASSERT_TRUE(f_.fs().rename(names(kLogSuffix).front(), renamed));
  expect_refused(renamed);
}

TEST_F(LogMissingFiles, AfterAKillDamageBeforeWholeSegmentsIsRefused) {
  fill();
  append_to(segments_[1], "12 garbage");
  expect_refused(segments_[1]);
}

TEST_F(LogMissingFiles, AfterAKillAMissingSegmentIsNoticed) {
  fill();
  ASSERT_TRUE(f_.fs().rename(segments_[1], "/elsewhere"));
  expect_refused(segments_[0]);
  ASSERT_TRUE(f_.fs().rename("/elsewhere", segments_[1]));
  ASSERT_TRUE(f_.open());
  EXPECT_EQ(read_all(f_.log()).size(), 30u);
}

// A power cut may have taken what is missing.
TEST_F(LogMissingFiles, WhereThePowerMayHaveFailedWhatDoesNotJoinIsKept) {
  fill();
  append_to(segments_[1], "12 garbage");
  const auto later = all_bytes();
  f_.boot();
  ASSERT_TRUE(f_.crash(MemFs::Loss::kNothing)) << f_.error().why;
  EXPECT_EQ(f_.log().recovery().kept_segments, segments_.size() - 2);
  EXPECT_GT(read_all(f_.log()).size(), 0u);
  const auto kept = names(kKeptSuffix);
  ASSERT_EQ(kept.size(), segments_.size() - 2);
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(*read_file(f_.fs(), kept[i]), later[i + 2]);
  // A second time, beside what is there.
  while (names(kLogSuffix).size() < 4) ASSERT_TRUE(f_.append({.value_size = 80}));
  append_to(segments_[1], "12 garbage");
  f_.boot();
  ASSERT_TRUE(f_.crash(MemFs::Loss::kNothing)) << f_.error().why;
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(*read_file(f_.fs(), kept[i]), later[i + 2]);
}

TEST_F(LogMissingFiles, AfterAKillTheHighWatermarkIsReached) {
  fill();
  ASSERT_TRUE(f_.checkpoint());
  ASSERT_TRUE(f_.fs().rename(segments_.back(), "/elsewhere"));
  expect_refused(segments_[segments_.size() - 2]);
  ASSERT_TRUE(f_.directory().forget_checkpoint(f_.partition()));
  ASSERT_TRUE(f_.open()) << "an operator said that this is all";
  EXPECT_LT(f_.log().log_end_offset(), 30);
}

TEST_F(LogMissingFiles, TheFirstSegmentsAreMissedWhereTheLogStartIsExact) {
  fill();
  ASSERT_TRUE(f_.restart());
  const auto open = [&] {
    return f_.directory().open_log(f_.partition(), std::make_shared<LogConfig>(small_segments()), 0);
  };
  f_.directory().trust_log_starts();
  EXPECT_TRUE(open());
  ASSERT_TRUE(f_.fs().rename(segments_[0], "/elsewhere"));
  EXPECT_FALSE(open());
  EXPECT_EQ(f_.directory().health().fault_of("/data/topic-0"), segments_[0]);
  ASSERT_TRUE(f_.crash(MemFs::Loss::kNothing)) << "another broker's retention may have removed it";
  EXPECT_TRUE(f_.log().recovery().starts_late);
}

TEST_F(LogMissingFiles, ADirectoryWithTheNameOfAFileIsRefused) {
  fill();
  ASSERT_TRUE(f_.close());
  const std::string path = f_.path(segment_file_name(7, kOffsetIndexSuffix));
  ASSERT_TRUE(f_.fs().remove_tree(path));
  ASSERT_TRUE(f_.fs().make_directories(path));
  ASSERT_FALSE(f_.open());
  EXPECT_EQ(f_.directory().health().fault_of("/data/topic-0"), path);
  EXPECT_EQ(f_.directory().health().take_faults().size(), 1u);
  EXPECT_TRUE(f_.directory().health().take_faults().empty()) << "each is told once";
}

TEST_F(LogMissingFiles, CheckpointsThatAreDamagedOrMissingBesideOthersAreListed) {
  fill();
  ASSERT_TRUE(f_.close());
  ASSERT_TRUE(f_.open());
  EXPECT_TRUE(f_.directory().lost_checkpoints().empty());
  ASSERT_TRUE(f_.close());
  f_.flip("/data/log-start-offset-checkpoint", 2, 1);  // the count of lines
  ASSERT_TRUE(f_.fs().remove("/data/replication-offset-checkpoint"));
  ASSERT_TRUE(f_.open());
  EXPECT_EQ(f_.directory().lost_checkpoints(),
            (std::vector<std::string>{"log-start-offset-checkpoint", "replication-offset-checkpoint"}));
}

}  // namespace
}  // namespace milena::storage
