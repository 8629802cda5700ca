// Opening a log: crashes (R1-R6, R8, R11), damage, and what a start must not do.
#include <gtest/gtest.h>

#include <cerrno>

#include "storage/log_fixture.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

constexpr const char* kFirst = "00000000000000000000.log";

LogConfig small_segments() {
  LogConfig config;
  config.segment_bytes = 1000;
  config.index_interval_bytes = 100;
  return config;
}

void fill(LogFixture& f, int batches, std::size_t value_size = 80) {
  for (int i = 0; i < batches; ++i)
    ASSERT_TRUE(
        f.append({.timestamp = 1000 + i, .value_size = value_size, .seed = static_cast<std::uint64_t>(i)}));
}

std::vector<std::string> names(LogFixture& f, std::string_view suffix) {
  std::vector<std::string> out;
  for (const auto& entry : *f.fs().list("/data/topic-0"))
    if (entry.name.ends_with(suffix)) out.push_back(entry.name);
  return out;
}

TEST(LogRecovery, R1_AKilledProcessLosesNoRecord) {
  LogFixture f(1, small_segments());
  fill(f, 30);
  const auto before = read_all(f.log());
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing));
  EXPECT_EQ(read_all(f.log()), before);
}

TEST(LogRecovery, R1_PowerLossKeepsWhatWasFlushedAndAPrefixOfTheRest) {
  LogFixture f(1, small_segments());
  fill(f, 20);
  ASSERT_TRUE(f.log().flush());
  fill(f, 20);
  ASSERT_TRUE(f.crash(MemFs::Loss::kUnsynced));
  EXPECT_EQ(f.log().log_end_offset(), 20);
  EXPECT_EQ(read_all(f.log()).size(), 20u);
}

TEST(LogRecovery, R2_ATornTailIsCutAtAnyByte) {
  LogFixture f;
  fill(f, 3, 20);
  ASSERT_TRUE(f.log().flush());
  fill(f, 1, 20);
  const std::size_t size = f.size_of(f.path(kFirst));
  const std::size_t batch = size / 4;
  for (std::size_t cut = size - 1; cut >= 3 * batch; --cut) {
    f.cut(f.path(kFirst), cut);
    ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << cut;
    EXPECT_EQ(f.log().log_end_offset(), 3) << cut;
    EXPECT_EQ(f.size_of(f.path(kFirst)), 3 * batch);
    ASSERT_TRUE(f.append({.timestamp = 1000, .value_size = 20, .seed = 9}));
  }
}

TEST(LogRecovery, R2_GarbageAfterTheLastBatchIsATornTail) {
  LogFixture f;
  fill(f, 3);
  const std::size_t size = f.size_of(f.path(kFirst));
  auto file = std::move(*f.fs().open(f.path(kFirst), OpenMode::kReadWrite));
  ASSERT_TRUE(file->write_at(size, as_bytes("half of something that never became a batch")));
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing));
  EXPECT_EQ(f.log().log_end_offset(), 3);
  EXPECT_EQ(f.size_of(f.path(kFirst)), size);
}

TEST(LogRecovery, R2_AWrongByteBeforeValidBatchesIsCorruptionAndNothingIsTouched) {
  LogFixture f;
  fill(f, 6);
  const std::size_t batch = f.size_of(f.path(kFirst)) / 6;
  for (const std::size_t in_batch :
       {std::size_t{3}, std::size_t{9}, std::size_t{16}, std::size_t{20}, batch - 5}) {
    f.flip(f.path(kFirst), 2 * batch + in_batch, 1);
    const Bytes before = *read_file(f.fs(), f.path(kFirst));
    EXPECT_FALSE(f.crash(MemFs::Loss::kNothing)) << in_batch;
    EXPECT_EQ(f.error().code, ErrorCode::kKafkaStorageError);
    EXPECT_FALSE(f.directory().health().offline());  // only this log
    EXPECT_EQ(*read_file(f.fs(), f.path(kFirst)), before);
    f.flip(f.path(kFirst), 2 * batch + in_batch, 1);
    ASSERT_TRUE(f.crash(MemFs::Loss::kNothing));
    EXPECT_EQ(f.log().log_end_offset(), 6);
  }
}

TEST(LogRecovery, R2_APageThatWasNeverWrittenIsATornTailEvenBeforeValidBatches) {
  LogFixture f;
  fill(f, 60, 300);
  auto file = std::move(*f.fs().open(f.path(kFirst), OpenMode::kReadWrite));
  ASSERT_TRUE(file->write_at(8192, as_bytes(std::string(4096, '\0'))));
  const auto before = read_all(f.log(), 20);
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  EXPECT_GT(f.log().log_end_offset(), 15);
  EXPECT_LT(f.log().log_end_offset(), 60);
  EXPECT_EQ(read_all(f.log(), 15).size(), 15u);
}

TEST(LogRecovery, R2_DamageBelowTheRecoveryPointIsNeverATornTail) {
  LogFixture f;
  fill(f, 3);
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.checkpoint());
  const std::size_t size = f.size_of(f.path(kFirst));
  f.cut(f.path(kFirst), size - 1);
  EXPECT_FALSE(f.crash(MemFs::Loss::kNothing));
  EXPECT_EQ(f.size_of(f.path(kFirst)), size - 1);
  ASSERT_TRUE(f.fs().remove(f.path(kFirst)));
  EXPECT_FALSE(f.crash(MemFs::Loss::kNothing));  // all of it is missing
}

TEST(LogRecovery, R2_AMissingMiddleSegmentThatWasFlushedIsNoticed) {
  LogFixture f(1, small_segments());
  fill(f, 40);
  ASSERT_TRUE(f.restart());
  const auto logs = names(f, ".log");
  ASSERT_GT(logs.size(), 3u);
  ASSERT_TRUE(f.fs().rename(f.path(logs[1]), "/data/aside"));
  EXPECT_FALSE(f.restart());
  ASSERT_TRUE(f.fs().rename("/data/aside", f.path(logs[1])));
  ASSERT_TRUE(f.open());
  EXPECT_EQ(read_all(f.log()).size(), 40u);
}

TEST(LogRecovery, R2_AShortenedSealedSegmentThatWasFlushedIsNoticed) {
  LogFixture f(1, small_segments());
  fill(f, 40);
  ASSERT_TRUE(f.restart());
  const auto logs = names(f, ".log");
  const std::size_t batch = 78 + 80;
  f.cut(f.path(logs[1]), f.size_of(f.path(logs[1])) - batch);
  EXPECT_FALSE(f.restart());
}

TEST(LogRecovery, R4_DyingAtAnyCallOfARollAFlushOrADeletionLosesNothing) {
  for (std::uint64_t nth = 1; nth < 200; ++nth) {
    LogConfig config = small_segments();
    config.retention_bytes = 1500;
    LogFixture f(nth, config);
    fill(f, 15);
    const auto before = read_all(f.log());
    f.fs().fail({.nth = nth, .code = EIO, .for_good = true});
    const bool rolled = f.log().roll(0).has_value();
    const bool flushed = rolled && f.log().flush();
    const bool deleted = flushed && f.log().delete_old_segments(0);
    for (const auto loss : {MemFs::Loss::kNothing, MemFs::Loss::kSome}) {
      if (loss == MemFs::Loss::kSome && !flushed) continue;
      ASSERT_TRUE(f.crash(loss)) << nth << " " << f.error().why;
      EXPECT_EQ(f.log().log_end_offset(), 15) << nth;
      const auto after = read_all(f.log());
      ASSERT_FALSE(after.empty());
      EXPECT_TRUE(std::equal(after.rbegin(), after.rend(), before.rbegin())) << nth;
    }
    if (deleted) return;
  }
  FAIL() << "more calls than expected";
}

TEST(LogRecovery, R4_DyingAtAnyCallOfATruncationLeavesTheOldEndOrLess) {
  for (std::uint64_t nth = 1; nth < 200; ++nth) {
    LogFixture f(nth, small_segments());
    fill(f, 30);
    ASSERT_TRUE(f.log().flush());
    ASSERT_TRUE(f.checkpoint());
    const auto before = read_all(f.log());
    f.fs().fail({.nth = nth, .code = EIO, .for_good = true});
    const bool done = f.truncate_to(13).has_value();
    ASSERT_TRUE(f.crash(MemFs::Loss::kSome)) << nth << " " << f.error().why;
    const auto after = read_all(f.log());
    EXPECT_GE(after.size(), 13u);
    EXPECT_TRUE(!done || after.size() == 13u);
    EXPECT_TRUE(std::equal(after.begin(), after.end(), before.begin()));
    if (done) return;
  }
  FAIL() << "more calls than expected";
}

TEST(LogRecovery, R5_AfterATruncationNoCheckpointClaimsMore) {
  LogFixture f;
  fill(f, 30);
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.checkpoint());
  ASSERT_TRUE(f.truncate_to(10));
  fill(f, 10);  // not flushed
  ASSERT_TRUE(f.crash(MemFs::Loss::kUnsynced)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), 10);
}

TEST(LogRecovery, R5_WhileAPermitLivesNoHigherRecoveryPointIsRemembered) {
  LogFixture f;
  fill(f, 30);
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.checkpoint());
  {
    const auto permit = f.directory().permit_truncation(f.partition(), 10);
    ASSERT_TRUE(permit);
    ASSERT_TRUE(f.checkpoint());
    EXPECT_EQ(f.directory().noted(f.partition())->recovery_point, 10);
  }
  ASSERT_TRUE(f.checkpoint());
  EXPECT_EQ(f.directory().noted(f.partition())->recovery_point, 30);
}

TEST(LogRecovery, R8_AFailedSyncIsFatalAndTheNextLifeWritesTheTailAgain) {
  LogFixture f;
  fill(f, 3);
  ASSERT_TRUE(f.log().flush());
  fill(f, 3);
  f.fs().fail({.call = "fdatasync", .code = EIO, .path_part = ".log"});
  EXPECT_FALSE(f.log().flush());
  EXPECT_FALSE(f.log().flush());  // never retried
  EXPECT_EQ(f.log().recovery_point(), 3);
  // The pages look clean now; a sync alone would not save them.
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing));
  EXPECT_EQ(f.log().log_end_offset(), 6);
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.checkpoint());
  ASSERT_TRUE(f.crash(MemFs::Loss::kUnsynced)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), 6);
}

TEST(LogRecovery, R9_AFullDiskFailsFlushesAndCheckpointsUntilThereIsRoom) {
  LogConfig config = small_segments();
  config.retention_bytes = 0;
  LogFixture f(1, config);
  fill(f, 30);
  const auto before = read_all(f.log());
  for (const char* call : {"open", "pwritev"}) {
    f.fs().fail({.call = call, .code = ENOSPC, .for_good = true});
    EXPECT_FALSE(f.log().flush());
    EXPECT_FALSE(f.log().flush_in_progress());
    EXPECT_LT(f.log().recovery_point(), 30);
    EXPECT_FALSE(f.checkpoint());
    EXPECT_EQ(read_all(f.log()), before);
    EXPECT_FALSE(f.directory().health().offline());
    f.fs().clear_faults();
  }
  ASSERT_TRUE(f.log().flush());
  EXPECT_EQ(f.log().recovery_point(), 30);
  ASSERT_TRUE(f.checkpoint());
  // Deleting works while the disk is full: that is how room is made.
  f.fs().fail({.call = "pwritev", .code = ENOSPC, .for_good = true});
  ASSERT_TRUE(f.log().delete_old_segments(0));
  EXPECT_EQ(f.log().log_start_offset(), 30);
  f.fs().clear_faults();
  ASSERT_TRUE(f.crash(MemFs::Loss::kUnsynced)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), 30);
}

TEST(LogRecovery, R9_IndexesThatAreMissingOnAFullDiskAreRebuiltInMemory) {
  LogFixture f(1, small_segments());
  fill(f, 30);
  const auto before = read_all(f.log());
  ASSERT_TRUE(f.close());
  for (const std::string& name : names(f, "index")) ASSERT_TRUE(f.fs().remove(f.path(name)));
  f.fs().fail({.call = "pwritev", .code = ENOSPC, .for_good = true});
  ASSERT_TRUE(f.open());
  for (const auto& record : before)
    EXPECT_EQ(f.log().offset_for_timestamp(record.timestamp)->value().offset, record.offset);
  EXPECT_FALSE(f.directory().health().offline());
  EXPECT_TRUE(names(f, "index").empty());
  f.log().release_idle_files();
  EXPECT_EQ(read_all(f.log()), before);
}

TEST(LogRecovery, R9_ASnapshotThatAFailedFlushWroteGoesWithItsRecords) {
  LogFixture f(1, small_segments());
  fill(f, 30);
  f.fs().fail({.call = "open", .code = ENOSPC, .for_good = true, .path_part = kIndexChecksumsName});
  EXPECT_FALSE(f.log().flush());
  f.fs().clear_faults();
  EXPECT_FALSE(names(f, ".snapshot").empty());
  ASSERT_TRUE(f.truncate_to(2));
  EXPECT_TRUE(names(f, ".snapshot").empty());
}

TEST(LogRecovery, R2_AGapIsBelievedOnlyIfAValidBatchFollows) {
  LogFixture f;
  fill(f, 3, 20);
  const std::size_t batch = f.size_of(f.path(kFirst)) / 3;
  f.flip(f.path(kFirst), 2 * batch + 6, 1);  // in the base offset of the last one
  auto file = std::move(*f.fs().open(f.path(kFirst), OpenMode::kReadWrite));
  ASSERT_TRUE(file->write_at(3 * batch, as_bytes("half of something that never became a batch")));
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), 2);
}

TEST(LogRecovery, R2_AGapAtTheEndOfWhatIsLeftIsNotBelievedEither) {
  LogFixture f(1, small_segments());
  while (names(f, ".log").size() < 2) fill(f, 1);
  const auto end = f.log().log_end_offset();
  const std::size_t batch = f.size_of(f.path(names(f, ".log")[1]));
  const std::size_t first_size = f.size_of(f.path(kFirst));
  // A jump, then damage, also in the next segment: that one goes, and the jump is the last of the log.
  f.flip(f.path(kFirst), first_size - 2 * batch + 6, 1);
  f.flip(f.path(kFirst), first_size - 10);
  f.flip(f.path(names(f, ".log")[1]), batch - 10);
  f.boot();
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), end - 3);
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), end - 3);
}

TEST(LogRecovery, R2_AfterABelievedGapAnotherOneIsBelieved) {
  LogFixture f;
  fill(f, 4, 20);
  const std::size_t batch = f.size_of(f.path(kFirst)) / 4;
  f.flip(f.path(kFirst), 2 * batch + 6, 1);
  f.flip(f.path(kFirst), 3 * batch + 6, 2);
  for (int life = 0; life < 2; ++life) {
    ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
    EXPECT_EQ(f.log().log_end_offset(), 2 * 256 + 4);
  }
}

TEST(LogRecovery, R11_OnlySegmentsPastTheRecoveryPointAreScanned) {
  LogFixture f(1, small_segments());
  fill(f, 60);
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.checkpoint());
  // Damage in a sealed, flushed segment is not looked for.
  f.flip(f.path(kFirst), 100);
  const auto reads = f.fs().calls();
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  EXPECT_LT(f.fs().calls() - reads, 120u);
}

TEST(LogRecovery, R11_DyingDuringRecoveryAgainAndAgainEndsInTheSameLog) {
  LogFixture f(1, small_segments());
  fill(f, 30);
  const auto before = read_all(f.log());
  const auto producers = f.log().producers();
  for (std::uint64_t nth = 1; nth < 400; ++nth) {
    f.fs().fail({.nth = nth, .code = EIO, .for_good = true});
    const bool opened = f.crash(MemFs::Loss::kNothing) && f.fs().calls() > 0;
    f.fs().clear_faults();
    if (opened) continue;
    ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << nth;
    ASSERT_EQ(read_all(f.log()), before) << nth;
    ASSERT_EQ(f.log().producers(), producers);
  }
}

TEST(LogRecovery, ACleanStartScansNothing) {
  LogFixture f(1, small_segments());
  fill(f, 30);
  ASSERT_TRUE(f.close());
  f.fs().fail({.call = "pread", .nth = 30, .code = EIO, .for_good = true});
  EXPECT_TRUE(f.open()) << f.error().why;
}

TEST(LogRecovery, LeftoversOfInterruptedWorkAreResolved) {
  LogFixture f(1, small_segments());
  fill(f, 30);
  const auto before = read_all(f.log());
  ASSERT_TRUE(f.close());
  const auto write = [&](const std::string& name, std::string_view text) {
    ASSERT_TRUE((*f.fs().open(f.path(name), OpenMode::kTruncate))->write_at(0, as_bytes(text)));
  };
  write("00000000000000000000.log.deleted", "x");
  write("00000000000000000000.index.cleaned", "x");
  write("00000000000000000012.log.swap", "above the lowest .cleaned");
  write("00000000000000000099.index", "orphan");
  write("99.index", "of somebody else");
  write("leader-epoch-checkpoint.tmp", "x");
  write("00000000000000000007-0000000001.checkpoint.deleted", "KRaft's");
  ASSERT_TRUE(f.open());
  EXPECT_EQ(read_all(f.log()), before);
  for (const char* suffix : {".log.deleted", ".cleaned", ".swap", ".tmp"})
    EXPECT_TRUE(names(f, suffix).empty());
  EXPECT_EQ(names(f, "99.index"), std::vector<std::string>{"99.index"});
  EXPECT_EQ(names(f, ".checkpoint.deleted").size(), 1u);
}

TEST(LogRecovery, AFinishedCompactionReplacesItsOriginals) {
  LogConfig config = small_segments();
  config.cleanup_compact = true;
  LogFixture f(1, config);
  fill(f, 30);
  ASSERT_TRUE(f.close());
  const auto logs = names(f, ".log");
  ASSERT_GT(logs.size(), 3u);
  // What compaction left of the first two segments: the last batch of each.
  Bytes kept;
  for (const std::size_t i : {0u, 1u}) {
    const Bytes log = *read_file(f.fs(), f.path(logs[i]));
    const auto batch = protocol::RecordBatchView::parse(log);
    kept.insert(kept.end(), log.end() - static_cast<std::ptrdiff_t>(batch->size_in_bytes()), log.end());
  }
  ASSERT_TRUE((*f.fs().open(f.path(logs[0] + ".swap"), OpenMode::kTruncate))->write_at(0, kept));
  ASSERT_TRUE(f.open()) << f.error().why;
  EXPECT_TRUE(names(f, ".swap").empty());
  EXPECT_EQ(names(f, ".log").size(), logs.size() - 1);
  const auto records = read_all(f.log());
  EXPECT_LT(records.size(), 30u);
  EXPECT_EQ(records.back().offset, 29);
}

TEST(LogRecovery, KafkasDirectoryWithoutOurChecksumsOpens) {
  LogFixture f(1, small_segments());
  fill(f, 30);
  const auto before = read_all(f.log());
  ASSERT_TRUE(f.close());
  ASSERT_TRUE(f.fs().remove(f.path(kIndexChecksumsName)));
  ASSERT_TRUE(f.open());
  EXPECT_EQ(read_all(f.log()), before);
}

// --- R12: what a newer version wrote is refused, and left as it is

void expect_refused_untouched(LogFixture& f, const std::string& path, BytesView bytes) {
  ASSERT_TRUE((*f.fs().open(path, OpenMode::kTruncate))->write_at(0, bytes));
  EXPECT_FALSE(f.open());
  EXPECT_EQ(f.error().code, ErrorCode::kKafkaStorageError);
  EXPECT_NE(std::string_view(f.error().why).find("newer version"), std::string_view::npos) << f.error().why;
  EXPECT_TRUE(std::ranges::equal(*read_file(f.fs(), path), bytes));
}

TEST(LogRecovery, R12_CheckpointsOfANewerVersionAreRefused) {
  for (const char* name : {"leader-epoch-checkpoint", "milena-index-checksums"}) {
    LogFixture f;
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(f.append({.seed = i}));
    expect_refused_untouched(f, f.path(name), as_bytes(std::string_view("9\n0\n")));
  }
}

TEST(LogRecovery, R12_ABatchOfANewerFormatIsNoTornTail) {
  LogFixture f;
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(f.append({.seed = i}));
  auto bytes = *read_file(f.fs(), f.path("00000000000000000000.log"));
  auto newer = batch_of({.seed = 7});
  newer[16] = std::byte{3};  // magic
  protocol::set_base_offset(newer, 3);
  bytes.insert(bytes.end(), newer.begin(), newer.end());
  expect_refused_untouched(f, f.path("00000000000000000000.log"), bytes);
  // One whose checksum is wrong is a torn tail like any other.
  bytes.back() ^= std::byte{1};
  ASSERT_TRUE((*f.fs().open(f.path("00000000000000000000.log"), OpenMode::kTruncate))->write_at(0, bytes));
  EXPECT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
}

TEST(LogRecovery, R12_AProducerSnapshotOfANewerVersionIsRefused) {
  LogFixture f;
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(f.append({.seed = i}));
  ASSERT_TRUE(f.close());
  for (const auto& entry : *f.fs().list(f.path(""))) {
    if (!entry.name.ends_with(".snapshot")) continue;
    auto bytes = *read_file(f.fs(), f.path(entry.name));
    bytes[1] = std::byte{2};
    expect_refused_untouched(f, f.path(entry.name), bytes);
    return;
  }
  FAIL() << "a clean stop leaves a snapshot";
}

TEST(LogRecovery, FilesOfOthersInAPartitionDirectoryAreKept) {
  LogFixture f;
  ASSERT_TRUE(f.append({.seed = 1}));
  const char* const names[] = {"1.index",       "1.log",      "notes.tmp", "notes.deleted",
                               "notes.cleaned", "notes.swap", "x.snapshot"};
  for (const char* name : names)
    ASSERT_TRUE(
        (*f.fs().open(f.path(name), OpenMode::kCreate))->write_at(0, as_bytes(std::string_view("mine"))));
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  for (const char* name : names) EXPECT_EQ(as_text(*read_file(f.fs(), f.path(name))), "mine") << name;
}

}  // namespace
}  // namespace milena::storage
