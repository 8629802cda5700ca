// A log whose process is short of descriptors or mappings: it closes what it can do without, and running out
// of them is not a broken disk.
#include <gtest/gtest.h>

#include <cerrno>

#include "base/limited_fs.h"
#include "storage/log_fixture.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

using Urgency = FileHolder::Urgency;

LogConfig small_segments() {
  LogConfig config;
  config.segment_bytes = 1000;
  config.index_interval_bytes = 0;  // an entry for each batch
  return config;
}

// 40 records in several segments, the sealed ones flushed.
void fill(LogFixture& f) {
  for (std::uint64_t i = 0; i < 40; ++i) ASSERT_TRUE(f.append({.value_size = 50, .seed = i}));
  ASSERT_TRUE(f.log().flush());
  ASSERT_GT(f.log().segment_count(), 3u);
}

TEST(LogLimits, OutOfDescriptorsFailsTheCallAndNotTheDirectory) {
  for (const int code : {EMFILE, ENFILE, ENOMEM}) {
    SCOPED_TRACE(code);
    LogFixture f(1, small_segments());
    ASSERT_TRUE(f.append({.value_size = 50}));
    ASSERT_TRUE(f.log().flush());
    f.log().release_files(Urgency::kAll, true);
    f.fs().fail({.call = "open", .code = code, .for_good = true});
    EXPECT_EQ(f.append({.value_size = 50}).error().code, ErrorCode::kKafkaStorageError);
    EXPECT_EQ(f.log().read(0, 1000, 1, true).error().code, ErrorCode::kKafkaStorageError);
    EXPECT_FALSE(f.directory().health().offline());
    f.fs().clear_faults();
    EXPECT_EQ(f.append({.value_size = 50})->first_offset, 1);
    EXPECT_EQ(read_all(f.log()).size(), 2u);
  }
}

TEST(LogLimits, AFailedSyncIsABrokenDiskWhateverTheReason) {
  LogFixture f;
  ASSERT_TRUE(f.append(BatchSpec{}));
  f.fs().fail({.call = "fdatasync", .code = ENOMEM});
  EXPECT_FALSE(f.log().flush());
  EXPECT_TRUE(f.directory().health().offline());
}

// Each open and each listing of a life fails once; everything that was acknowledged is there afterwards.
TEST(LogLimits, WhereverDescriptorsRunOutNothingIsLost) {
  for (const std::string_view call : {"open", "opendir", "mmap"}) {
    for (std::uint64_t nth = 1; nth < 60; ++nth) {
      SCOPED_TRACE(std::string(call) + " " + std::to_string(nth));
      LogFixture f(1, small_segments());
      f.fs().fail({.call = call, .nth = nth, .code = EMFILE});
      std::size_t acknowledged = 0;
      for (std::uint64_t i = 0; i < 40; ++i) {
        while (!f.append({.value_size = 50, .seed = i})) {
        }
        ++acknowledged;
        if (i % 5 == 0) f.log().release_files(Urgency::kAll, true);
        if (i % 10 == 0 && !f.log().flush()) ASSERT_TRUE(f.log().flush());
      }
      if (!f.log().flush()) ASSERT_TRUE(f.log().flush());
      ASSERT_FALSE(f.directory().health().offline()) << f.directory().health().reason();
      if (!f.log().delete_old_segments(f.now_ms)) ASSERT_TRUE(f.log().delete_old_segments(f.now_ms));
      f.fs().clear_faults();
      ASSERT_EQ(read_all(f.log()).size(), acknowledged);
      ASSERT_TRUE(f.crash(MemFs::Loss::kUnsynced)) << f.error().why;
      ASSERT_EQ(read_all(f.log()).size(), acknowledged);
    }
  }
}

TEST(LogLimits, IndexesAreCopiedWhenThereAreNoMappings) {
  LogFixture f(1, {.segment_bytes = 200'000, .index_interval_bytes = 0});
  for (std::uint64_t i = 0; i < 3000; ++i) ASSERT_TRUE(f.append({.value_size = 10, .seed = i}));
  ASSERT_TRUE(f.log().flush());
  ASSERT_GT(f.size_of(f.path("00000000000000000000.index")), 4096u) << "large enough to be mapped";
  f.log().release_files(Urgency::kAll, true);
  f.fs().fail({.call = "mmap", .code = ENOMEM, .for_good = true});
  EXPECT_EQ(read_all(f.log()).size(), 3000u);
  EXPECT_FALSE(f.directory().health().offline());
}

TEST(LogLimits, ClosesWhatWasNotUsedSinceItWasLastAsked) {
  LogFixture f(1, small_segments());
  fill(f);
  ASSERT_TRUE(f.append(BatchSpec{}));
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.log().read(0, 1000, 1, true));
  EXPECT_TRUE(f.log().release_files(Urgency::kUnused, true)) << "all of it was used";
  ASSERT_TRUE(f.append(BatchSpec{}));
  f.fs().fail({.call = "open", .code = EMFILE, .for_good = true});
  EXPECT_TRUE(f.log().release_files(Urgency::kUnused, true)) << "the active segment was used again";
  EXPECT_TRUE(f.append(BatchSpec{})) << "so it is still open";
  EXPECT_FALSE(f.log().read(0, 1000, 1, true)) << "the oldest segment is not";
  (void)f.log().release_files(Urgency::kUnused, true);
  EXPECT_FALSE(f.log().release_files(Urgency::kUnused, true)) << "nothing is left";
}

TEST(LogLimits, ASliceKeepsItsFileOpen) {
  LogFixture f;
  ASSERT_TRUE(f.append({.value_size = 100}));
  const auto read = f.log().read(0, 1000, 1, true);
  ASSERT_TRUE(read);
  EXPECT_TRUE(f.log().release_files(Urgency::kAll, true)) << "somebody reads it";
  EXPECT_EQ(records_of(read->records).records.size(), 1u);
}

TEST(LogLimits, UnsyncedFilesAreClosedOnlyIfItMustBe) {
  LogFixture f;
  ASSERT_TRUE(f.append(BatchSpec{}));
  (void)f.log().release_files(Urgency::kUnused, false);
  EXPECT_TRUE(f.log().release_files(Urgency::kUnused, false)) << "a flush will sync it";
  EXPECT_FALSE(f.log().release_files(Urgency::kAll, false));
  ASSERT_TRUE(f.append(BatchSpec{})) << "and it is opened again";
  ASSERT_TRUE(f.log().flush());
  (void)f.log().release_files(Urgency::kUnused, false);
  EXPECT_FALSE(f.log().release_files(Urgency::kUnused, false)) << "synced";
}

TEST(LogLimits, WhatWasClosedUnsyncedIsSyncedWithItsFileSystem) {
  LogFixture f;
  for (const bool reopened : {false, true}) {
    ASSERT_TRUE(f.append(BatchSpec{}));
    EXPECT_FALSE(f.log().release_files(Urgency::kAll, true));
    if (reopened) ASSERT_TRUE(f.append(BatchSpec{}));
    ASSERT_TRUE(f.log().flush());
    ASSERT_EQ(f.log().recovery_point(), f.log().log_end_offset());
  }
  ASSERT_TRUE(f.checkpoint());
  ASSERT_TRUE(f.crash(MemFs::Loss::kUnsynced));
  EXPECT_EQ(read_all(f.log()).size(), 3u);

  ASSERT_TRUE(f.append(BatchSpec{}));
  f.fs().fail({.call = "syncfs", .code = EIO, .for_good = true});
  ASSERT_TRUE(f.log().flush()) << "kept open: its own descriptor says all there is to know";
  ASSERT_TRUE(f.append(BatchSpec{}));
  (void)f.log().release_files(Urgency::kAll, true);
  EXPECT_FALSE(f.log().flush()) << "the error of a write-back that nobody else has seen";
  EXPECT_TRUE(f.directory().health().offline());
}

TEST(LogLimits, AFullDiskInBetweenDoesNotForgetWhatWasClosedUnsynced) {
  LogFixture f(1, small_segments());
  ASSERT_TRUE(f.append({.value_size = 500}));
  (void)f.log().release_files(Urgency::kAll, true);
  ASSERT_TRUE(f.append({.value_size = 500}));  // rolls: the flush writes an index
  f.fs().fail({.call = "pwritev", .code = ENOSPC, .path_part = ".index"});
  EXPECT_FALSE(f.log().flush());
  f.fs().fail({.call = "syncfs", .code = EIO});
  EXPECT_FALSE(f.log().flush()) << "it is still asked";
}

TEST(LogLimits, RecoveryOfManySegmentsNeedsFewDescriptors) {
  LogFixture f(1, small_segments());
  for (std::uint64_t i = 0; i < 600; ++i)
    ASSERT_TRUE(f.append({.value_size = 100,
                          .producer_id = 1,
                          .producer_epoch = 0,
                          .base_sequence = static_cast<std::int32_t>(i),
                          .seed = i}));
  ASSERT_GT(f.log().segment_count(), 60u);
  // A file system that counts, without anybody who could be asked to close.
  ManualClock clock;
  const Logger log(LogLevel::kError);
  for (const bool clean : {false, true}) {
    LimitedFs limited(f.fs(), {.files = 10, .mappings = 10}, clock, log);
    DirectoryHealth health(limited, "/data");
    auto opened = Log::open(limited, health,
                            {.directory = "/data/topic-0",
                             .config = std::make_shared<const LogConfig>(f.config()),
                             .clean = clean,
                             .now_ms = f.now_ms});
    ASSERT_TRUE(opened) << opened.error().why;
    EXPECT_LE(limited.most_open_files(), 10u);
    opened->reset();
    EXPECT_EQ(limited.open_files(), 0u);
  }
}

}  // namespace
}  // namespace milena::storage
