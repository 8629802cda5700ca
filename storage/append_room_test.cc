// The zeros behind the records of an active segment: when they come, when they go, and that nobody takes them
// for records or for the loss of any.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "storage/log_fixture.h"

namespace milena::storage {
namespace {

constexpr const char* kFirst = "00000000000000000000.log";
constexpr std::int32_t kRoom = 512;
constexpr std::size_t kRoomFrom = std::size_t{16} * kRoom;  // below that a segment has none

LogConfig with_room() {
  LogConfig config;
  config.append_room_bytes = kRoom;
  return config;
}

// Appends until the segment has room; the number of records.
int grow(LogFixture& f) {
  int count = 0;
  for (std::uint64_t size = 0; size < kRoomFrom + kRoom; ++count, size = f.log().size_bytes())
    EXPECT_TRUE(f.append({.value_size = 100, .seed = static_cast<std::uint64_t>(count)}));
  EXPECT_GT(f.size_of(f.path(kFirst)), f.log().size_bytes());
  return count;
}

bool ends_with_its_records(LogFixture& f) { return f.size_of(f.path(kFirst)) == f.log().size_bytes(); }

TEST(AppendRoom, ZerosUpToABoundaryFollowTheRecordsOfASegmentThatHasGrown) {
  LogFixture f(1, with_room());
  for (std::uint64_t size = 0; size < 3 * kRoomFrom; size = f.log().size_bytes()) {
    const bool large = size >= kRoomFrom;
    ASSERT_TRUE(f.append({.value_size = 100}));
    const Bytes file = *read_file(f.fs(), f.path(kFirst));
    const auto end = static_cast<std::size_t>(f.log().size_bytes());
    EXPECT_EQ(file.size(), large ? (end + kRoom - 1) / kRoom * kRoom : end);
    EXPECT_TRUE(
        std::ranges::all_of(BytesView(file).subspan(end), [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST(AppendRoom, ASegmentThatIsFlushedAfterEveryAppendHasNone) {
  LogFixture f(1, with_room());
  while (f.log().size_bytes() < 3 * kRoomFrom) {
    ASSERT_TRUE(f.append({.value_size = 100}));
    ASSERT_TRUE(ends_with_its_records(f));
    ASSERT_TRUE(f.log().flush());
  }
}

TEST(AppendRoom, AFlushWithoutRoomLeavesTheBlocksThatAreReservedAhead) {
  LogFixture f(1, with_room());
  f.fs().fail({.call = "ftruncate", .code = EIO, .for_good = true});
  while (f.log().size_bytes() < 400'000) {
    ASSERT_TRUE(f.append({.value_size = 5000}));
    ASSERT_TRUE(f.log().flush());
  }
}

TEST(AppendRoom, ReadsEndWithTheRecords) {
  LogFixture f(1, with_room());
  const int count = grow(f);
  EXPECT_EQ(read_all(f.log()).size(), static_cast<std::size_t>(count));
  const auto read = f.log().read(count - 1, 1 << 20, f.log().log_end_offset(), true);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->records.position + read->records.size, f.log().size_bytes());
}

TEST(AppendRoom, GoesWhenTheSegmentIsSealedOrClosedOrIdle) {
  {
    LogFixture f(1, with_room());
    grow(f);
    ASSERT_TRUE(f.log().roll(f.now_ms));
    EXPECT_TRUE(ends_with_its_records(f));
  }
  {
    LogFixture f(1, with_room());
    const int count = grow(f);
    ASSERT_TRUE(f.restart());
    EXPECT_TRUE(ends_with_its_records(f));
    EXPECT_EQ(f.log().log_end_offset(), count);
  }
  LogFixture f(1, with_room());
  const int count = grow(f);
  f.log().release_idle_files();  // it was used since the last time
  EXPECT_FALSE(ends_with_its_records(f));
  f.log().release_idle_files();
  EXPECT_TRUE(ends_with_its_records(f));
  ASSERT_TRUE(f.append(BatchSpec{}));
  EXPECT_EQ(f.log().log_end_offset(), count + 1);
}

TEST(AppendRoom, R1_AKilledBrokerFindsItsRecordsAndNoRoom) {
  LogFixture f(1, with_room());
  const int count = grow(f);
  const auto before = read_all(f.log());
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), count);
  EXPECT_EQ(read_all(f.log()), before);
  EXPECT_TRUE(ends_with_its_records(f));
  ASSERT_TRUE(f.append({.value_size = 1}));
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), count + 1);
}

TEST(AppendRoom, R1_ASealedSegmentWhoseZerosCameBackStillJoinsTheNext) {
  // Power failed between the roll and the flush: the cut was not durable, the records of both segments were.
  LogFixture f(1, with_room());
  const int count = grow(f);
  ASSERT_TRUE(f.log().roll(f.now_ms));
  ASSERT_TRUE(f.append(BatchSpec{}));
  const auto before = read_all(f.log());
  auto file = std::move(*f.fs().open(f.path(kFirst), OpenMode::kReadWrite));
  ASSERT_TRUE(file->write_at(f.size_of(f.path(kFirst)), as_bytes(std::string(300, '\0'))));
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), count + 1);
  EXPECT_EQ(read_all(f.log()), before);
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.checkpoint());
  ASSERT_TRUE(f.restart());
  EXPECT_EQ(read_all(f.log()), before);
}

TEST(AppendRoom, R2_ZerosInThePlaceOfFlushedRecordsAreNoRoom) {
  for (const bool compacted : {false, true}) {
    LogConfig config = with_room();
    config.cleanup_compact = compacted;
    LogFixture f(1, config);
    grow(f);
    ASSERT_TRUE(f.log().flush());
    ASSERT_TRUE(f.checkpoint());
    ASSERT_TRUE(f.log().roll(f.now_ms));
    ASSERT_TRUE(f.append(BatchSpec{}));
    const std::size_t size = f.size_of(f.path(kFirst));
    auto file = std::move(*f.fs().open(f.path(kFirst), OpenMode::kReadWrite));
    ASSERT_TRUE(file->write_at(size - 400, as_bytes(std::string(400, '\0'))));
    EXPECT_FALSE(f.crash(MemFs::Loss::kNothing)) << compacted;
    EXPECT_EQ(f.error().code, ErrorCode::kKafkaStorageError);
    EXPECT_EQ(f.size_of(f.path(kFirst)), size);
  }
}

TEST(AppendRoom, AFileOfZerosOnlyIsAnEmptySegment) {
  // What Kafka leaves with preallocate=true when it is killed before the first record.
  LogFixture f(1, with_room());
  auto file = std::move(*f.fs().open(f.path(kFirst), OpenMode::kCreate));
  ASSERT_TRUE(file->write_at(0, as_bytes(std::string(5000, '\0'))));
  ASSERT_TRUE(f.fs().sync_directory("/data/topic-0"));
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing)) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), 0);
  ASSERT_TRUE(f.restart()) << f.error().why;
  ASSERT_TRUE(f.append(BatchSpec{}));
  ASSERT_TRUE(f.restart()) << f.error().why;
  EXPECT_EQ(f.log().log_end_offset(), 1);
  EXPECT_TRUE(ends_with_its_records(f));
}

TEST(AppendRoom, R9_AFullDiskTakesTheRecordsWithoutRoom) {
  LogFixture f(1, with_room());
  int count = grow(f);
  const BatchSpec spec{.value_size = 100};
  for (; f.log().size_bytes() + batch_of(spec).size() <= f.size_of(f.path(kFirst)); ++count)
    ASSERT_TRUE(f.append(spec));
  f.fs().fail({.call = "pwritev", .code = ENOSPC, .path_part = ".log"});
  ASSERT_TRUE(f.append(spec));
  ++count;
  EXPECT_EQ(f.log().log_end_offset(), count);
  EXPECT_EQ(read_all(f.log()).size(), static_cast<std::size_t>(count));
  ASSERT_TRUE(f.restart());
  EXPECT_TRUE(ends_with_its_records(f));
  EXPECT_EQ(f.log().log_end_offset(), count);
}

}  // namespace
}  // namespace milena::storage
