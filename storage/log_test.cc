// Log: the invariants L1-L11 of a single replica that are the log's business, and idempotence end to end.
#include "storage/log.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "storage/log_fixture.h"
#include "storage/segment_names.h"

namespace milena::storage {
namespace {

LogConfig small_segments() {
  LogConfig config;
  config.segment_bytes = 1000;
  config.index_interval_bytes = 100;
  return config;
}

// Everything an append may change.
struct State {
  Offset end;
  std::uint64_t size = 0;
  std::size_t segments = 0;
  LeaderEpoch epoch;
  ProducerState producers;
  bool operator==(const State&) const = default;
};
State state_of(const Log& log) {
  return {log.log_end_offset(), log.size_bytes(), log.segment_count(), log.latest_epoch(), log.producers()};
}

TEST(LogInvariants, L1_OffsetsAreDenseAndPatchedIntoTheCallersBytes) {
  LogFixture f;
  Bytes first = batch_of({.records = 3});
  const auto a = f.log().append_as_leader(first, {.leader_epoch = 4});
  ASSERT_TRUE(a);
  EXPECT_EQ(a->first_offset, 0);
  EXPECT_EQ(a->last_offset, 2);
  Bytes second = batch_of({.records = 2});
  const auto b = f.log().append_as_leader(second, {.leader_epoch = 5});
  ASSERT_TRUE(b);
  EXPECT_EQ(b->first_offset, 3);
  const auto view = protocol::RecordBatchView::parse(second);
  EXPECT_EQ(view->base_offset(), 3);
  EXPECT_EQ(view->partition_leader_epoch(), 5);
  EXPECT_TRUE(view->crc_matches());
  EXPECT_EQ(f.log().log_end_offset(), 5);
}

TEST(LogInvariants, L1_SeveralBatchesInOneAppendFollowEachOther) {
  LogFixture f;
  Bytes bytes = batch_of({.records = 2});
  const Bytes second = batch_of({.records = 3, .seed = 9});
  bytes.insert(bytes.end(), second.begin(), second.end());
  const auto info = f.append(bytes);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->last_offset, 4);
  const auto records = read_all(f.log());
  ASSERT_EQ(records.size(), 5u);
  for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(records[i].offset.value, static_cast<int>(i));
}

TEST(LogInvariants, L2_RecordsAreTheSameOnEveryReadAndAfterRestart) {
  LogFixture f(1, small_segments());
  for (std::uint64_t i = 0; i < 50; ++i) ASSERT_TRUE(f.append({.records = 3, .value_size = 90, .seed = i}));
  const auto before = read_all(f.log());
  EXPECT_EQ(read_all(f.log()), before);
  ASSERT_TRUE(f.restart());
  EXPECT_EQ(read_all(f.log()), before);
}

TEST(LogInvariants, L3_StartHighWatermarkAndStableOffsetKeepTheirOrder) {
  LogFixture f;
  for (int i = 0; i < 10; ++i) {
    Bytes batch = batch_of({});
    ASSERT_TRUE(f.log().append_as_leader(batch, {}));
  }
  EXPECT_EQ(f.log().high_watermark(), 0);
  f.log().advance_high_watermark(6);
  f.log().advance_high_watermark(4);  // never back
  EXPECT_EQ(f.log().high_watermark(), 6);
  EXPECT_EQ(f.log().last_stable_offset(), 6);
  f.log().advance_high_watermark(99);
  EXPECT_EQ(f.log().high_watermark(), 10);
  ASSERT_TRUE(f.log().advance_log_start(3));
  ASSERT_TRUE(f.log().advance_log_start(2));
  EXPECT_EQ(f.log().log_start_offset(), 3);
}

TEST(LogInvariants, L3_TheStableOffsetWaitsForTransactions) {
  LogFixture f;
  ASSERT_TRUE(f.append({.records = 2}));
  ASSERT_TRUE(f.append({.producer_id = 1, .producer_epoch = 0, .base_sequence = 0, .transactional = true}));
  ASSERT_TRUE(f.append({.records = 2}));
  EXPECT_EQ(f.log().last_stable_offset(), 2);
  Bytes marker = marker_of(1, 0, true);
  ASSERT_TRUE(f.log().append_as_leader(marker, {.origin = AppendOrigin::kCoordinator}));
  EXPECT_EQ(f.log().last_stable_offset(), 2);  // the marker is not replicated yet
  f.log().advance_high_watermark(6);
  EXPECT_EQ(f.log().last_stable_offset(), 6);
}

TEST(LogInvariants, L4_AFetchStartsWithTheBatchThatHoldsTheOffset) {
  LogFixture f(1, small_segments());
  for (std::uint64_t i = 0; i < 40; ++i) ASSERT_TRUE(f.append({.records = 3, .value_size = 40, .seed = i}));
  for (Offset offset = 0; offset < 120; ++offset) {
    const auto read = f.log().read(offset, 1, 120, true);
    ASSERT_TRUE(read);
    const auto got = records_of(read->records);
    EXPECT_EQ(got.first_offset, offset.value / 3 * 3);
    EXPECT_EQ(got.records.size(), 3u);  // one whole batch although it is larger than max_bytes
  }
}

TEST(LogInvariants, L4_AReaderGoesOnWhereItStoppedWhateverHasHappenedToTheLogSince) {
  LogFixture f;
  ASSERT_TRUE(f.append({.records = 2}));
  const auto next_after = [&](Offset offset, std::uint32_t max_bytes) {
    const auto read = f.log().read(offset, max_bytes, f.log().log_end_offset(), true);
    EXPECT_TRUE(read);
    const auto got = records_of(read->records);
    EXPECT_EQ(got.first_offset, offset);
    return got.next_offset;
  };
  EXPECT_EQ(f.log().read(2, 1 << 20, 2, true)->records.size, 0u);  // stops at the end
  ASSERT_TRUE(f.append({.records = 3}));
  ASSERT_TRUE(f.append({.records = 1}));
  EXPECT_EQ(next_after(2, 1 << 20), 6);
  EXPECT_EQ(next_after(2, 1), 5);
  ASSERT_TRUE(f.append({.records = 4}));
  EXPECT_EQ(next_after(6, 1 << 20), 10);
  ASSERT_TRUE(f.truncate_to(5));
  ASSERT_TRUE(f.append({.records = 2, .value_size = 77}));
  ASSERT_TRUE(f.append({.records = 5}));
  EXPECT_EQ(next_after(5, 1 << 20), 12);
  ASSERT_TRUE(f.log().roll(0));
  ASSERT_TRUE(f.append({.records = 1}));
  EXPECT_EQ(next_after(12, 1 << 20), 13);
  EXPECT_EQ(next_after(5, 1 << 20), 12);
}

TEST(LogInvariants, L4_LimitsCutBytesButNeverPassTheBound) {
  LogFixture f;
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(f.append({.records = 2, .seed = i}));
  EXPECT_EQ(f.log().read(0, 0, 40, false)->records.size, 0u);
  EXPECT_EQ(f.log().read(0, 50, 40, false)->records.size, 0u);  // less than a batch is nothing
  EXPECT_EQ(f.log().read(0, 150, 40, false)->records.size, 150u);
  EXPECT_EQ(records_of(f.log().read(0, 1 << 20, 10, true)->records).next_offset, 10);
  EXPECT_EQ(records_of(f.log().read(0, 1 << 20, 40, true)->records).next_offset, 40);
  EXPECT_EQ(f.log().read(10, 1000, 10, true)->records.size, 0u);
  EXPECT_EQ(f.log().read(40, 1000, 40, true)->records.size, 0u);
  EXPECT_EQ(f.log().read(41, 1000, 40, true).error().code, ErrorCode::kOffsetOutOfRange);
  ASSERT_TRUE(f.log().advance_log_start(5));
  EXPECT_EQ(f.log().read(4, 1000, 40, true).error().code, ErrorCode::kOffsetOutOfRange);
  EXPECT_EQ(records_of(f.log().read(5, 1, 40, true)->records).first_offset, 4);
}

TEST(LogInvariants, L5_OffsetsByTimestampAreTheFirstAtOrAfter) {
  LogFixture f(1, small_segments());
  // 1000-1002, 1010-1012, ...; every third batch is late by 25.
  for (int i = 0; i < 60; ++i)
    ASSERT_TRUE(f.append(
        {.records = 3,
         .timestamp = 1000 + 10 * i - (i % 3 == 2 ? 25 : 0),
         .value_size = 30,
         .seed = static_cast<std::uint64_t>(i),
         .compression = i % 2 == 0 ? protocol::CompressionType::kNone : protocol::CompressionType::kLz4}));
  const auto all = read_all(f.log());
  for (std::int64_t timestamp = 990; timestamp < 1610; ++timestamp) {
    const auto expected =
        std::ranges::find_if(all, [&](const auto& record) { return record.timestamp >= timestamp; });
    const auto found = f.log().offset_for_timestamp(timestamp);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->has_value(), expected != all.end()) << timestamp;
    if (!*found) continue;
    EXPECT_EQ((*found)->offset, expected->offset) << timestamp;
    EXPECT_EQ((*found)->timestamp, expected->timestamp);
  }
  const auto largest = f.log().max_timestamp();
  ASSERT_TRUE(*largest);
  EXPECT_EQ((*largest)->timestamp, 1582);
  EXPECT_EQ((*largest)->offset, 176);
  EXPECT_EQ((*largest)->leader_epoch, 0);
}

TEST(LogInvariants, L5_AnEmptyLogHasNoTimestamps) {
  LogFixture f;
  EXPECT_FALSE(*f.log().offset_for_timestamp(0));
  EXPECT_FALSE(*f.log().max_timestamp());
}

TEST(LogInvariants, L6_DeletedRecordsStayDeletedAfterACrash) {
  LogFixture f(1, small_segments());
  for (std::uint64_t i = 0; i < 40; ++i) ASSERT_TRUE(f.append({.records = 2, .value_size = 80, .seed = i}));
  EXPECT_EQ(f.log().advance_log_start(81).error().code, ErrorCode::kOffsetOutOfRange);
  ASSERT_TRUE(f.log().flush());
  ASSERT_TRUE(f.log().advance_log_start(33));
  ASSERT_TRUE(f.checkpoint());
  ASSERT_TRUE(f.crash(MemFs::Loss::kUnsynced));
  EXPECT_EQ(f.log().log_start_offset(), 33);
  EXPECT_EQ(read_all(f.log()).front().offset, 33);
  const auto segments = f.log().segment_count();
  ASSERT_TRUE(f.log().delete_old_segments(f.now_ms));
  EXPECT_LT(f.log().segment_count(), segments);
  EXPECT_EQ(f.log().log_start_offset(), 33);
  EXPECT_EQ(read_all(f.log()).front().offset, 33);
}

TEST(LogInvariants, L7_RetentionByTimeRollsTheActiveSegmentAndKeepsTheEnd) {
  LogConfig config = small_segments();
  config.retention_ms = 1000;
  LogFixture f(1, config);
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(f.append({.timestamp = 1000 + i, .value_size = 80}));
  ASSERT_TRUE(f.log().delete_old_segments(2000));
  EXPECT_EQ(f.log().log_start_offset(), 0);
  auto job = f.log().delete_old_segments(10'000);
  ASSERT_TRUE(job);
  EXPECT_EQ(f.log().log_start_offset(), 40);
  EXPECT_EQ(f.log().log_end_offset(), 40);
  EXPECT_EQ(f.log().segment_count(), 1u);
  job->run();
  EXPECT_EQ(f.log().size_bytes(), 0u);
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing));
  EXPECT_EQ(f.log().log_start_offset(), 40);
  EXPECT_EQ(f.append(BatchSpec{})->first_offset, 40);
}

TEST(LogInvariants, L7_ReadersOfADeletedSegmentKeepTheirBytes) {
  LogConfig config = small_segments();
  config.retention_bytes = 0;
  LogFixture f(1, config);
  for (std::uint64_t i = 0; i < 40; ++i) ASSERT_TRUE(f.append({.value_size = 80, .seed = i}));
  const auto slice = f.log().read(0, 1 << 20, 40, true)->records;
  const auto before = records_of(slice);
  auto job = f.log().delete_old_segments(f.now_ms);
  ASSERT_TRUE(job);
  EXPECT_GT(job->file_count(), 0u);
  job->run();
  EXPECT_EQ(records_of(slice).records, before.records);
  EXPECT_EQ(f.log().read(0, 1, 40, true).error().code, ErrorCode::kOffsetOutOfRange);
  for (const auto& entry : *f.fs().list("/data/topic-0")) EXPECT_FALSE(entry.name.ends_with(".deleted"));
}

TEST(LogInvariants, L7_SegmentsRollBySizeAgeAndFullIndexes) {
  LogConfig config = small_segments();
  config.segment_ms = 100;
  LogFixture f(1, config);
  ASSERT_TRUE(f.append({.timestamp = 1000}));
  EXPECT_FALSE(f.append({.timestamp = 1100})->rolled);
  EXPECT_TRUE(f.append({.timestamp = 1101})->rolled);  // by the records' own time
  EXPECT_TRUE(f.append({.timestamp = 1102, .value_size = 900})->rolled);
  EXPECT_EQ(f.append({.value_size = 2000}).error().code, ErrorCode::kRecordListTooLarge);

  LogConfig tiny_index;
  tiny_index.segment_index_bytes = 24;  // three offset entries, or one time entry
  tiny_index.index_interval_bytes = 0;
  LogFixture g(1, tiny_index);
  int rolled = 0;
  for (int i = 0; i < 20; ++i) rolled += g.append({.timestamp = 1000 + i})->rolled ? 1 : 0;
  EXPECT_GT(rolled, 5);
}

TEST(LogInvariants, L8_RefusedAndFailedAppendsLeaveNoTrace) {
  LogFixture f;
  ASSERT_TRUE(f.append({.producer_id = 1, .producer_epoch = 2, .base_sequence = 0}));
  const State before = state_of(f.log());
  EXPECT_EQ(f.append({.producer_id = 1, .producer_epoch = 2, .base_sequence = 5}).error().code,
            ErrorCode::kOutOfOrderSequenceNumber);
  EXPECT_EQ(f.append({.producer_id = 1, .producer_epoch = 1, .base_sequence = 1}).error().code,
            ErrorCode::kInvalidProducerEpoch);
  EXPECT_EQ(f.append(Bytes{}).error().code, ErrorCode::kCorruptMessage);
  Bytes cut = batch_of({});
  cut.pop_back();
  EXPECT_EQ(f.append(cut).error().code, ErrorCode::kCorruptMessage);
  for (const int code : {ENOSPC, EDQUOT}) {
    f.fs().fail({.call = "pwritev", .code = code});
    EXPECT_EQ(f.append({.producer_id = 1, .producer_epoch = 2, .base_sequence = 1}, {.leader_epoch = 9})
                  .error()
                  .code,
              ErrorCode::kKafkaStorageError);
  }
  EXPECT_EQ(state_of(f.log()), before);
  EXPECT_EQ(f.size_of(f.path("00000000000000000000.log")), before.size);
  // Space is back: the same batch goes in.
  EXPECT_TRUE(f.append({.producer_id = 1, .producer_epoch = 2, .base_sequence = 1}));
}

TEST(LogInvariants, L8_AFullDiskWhileRollingLeavesAnUsableLog) {
  LogFixture f(1, small_segments());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(f.append({.value_size = 100}));
  f.fs().fail({.call = "open", .code = ENOSPC, .for_good = true, .path_part = ".log"});
  EXPECT_EQ(f.append({.value_size = 600}).error().code, ErrorCode::kKafkaStorageError);
  EXPECT_FALSE(f.directory().health().offline());
  f.fs().clear_faults();
  EXPECT_EQ(f.append({.value_size = 600})->first_offset, 5);
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing));
  EXPECT_EQ(read_all(f.log()).size(), 6u);
}

TEST(LogInvariants, L9_EveryIndexEntryPointsAtABatch) {
  LogFixture f(1, small_segments());
  for (std::uint64_t i = 0; i < 40; ++i)
    ASSERT_TRUE(f.append({.records = 2, .timestamp = static_cast<std::int64_t>(1000 + i), .seed = i}));
  ASSERT_TRUE(f.log().flush());
  std::size_t entries = 0;
  for (const auto& file : *f.fs().list("/data/topic-0")) {
    if (!file.name.ends_with(".index")) continue;
    const auto base = parse_segment_file_name(file.name)->base_offset;
    const Bytes log = *read_file(f.fs(), f.path(segment_file_name(base, kLogSuffix)));
    const OffsetIndex index(base, IndexBytes<8>(*read_file(f.fs(), f.path(file.name))));
    for (std::size_t i = 0; i < index.entries(); ++i, ++entries) {
      const auto batch = protocol::RecordBatchView::parse(BytesView(log).subspan(index.entry(i).position));
      ASSERT_TRUE(batch);
      EXPECT_EQ(batch->last_offset(), index.entry(i).offset);
    }
  }
  EXPECT_GT(entries, 10u);
}

TEST(LogInvariants, L10_AFollowerTakesNoOffsetBelowItsEnd) {
  LogFixture f;
  const auto at = [](std::int64_t offset) {
    return batch_of({.records = 2, .base_offset = offset, .leader_epoch = 3});
  };
  ASSERT_TRUE(f.log().append_as_follower(at(0), 0));
  EXPECT_EQ(f.log().append_as_follower(at(1), 0).error().code, ErrorCode::kOffsetOutOfRange);
  ASSERT_TRUE(f.log().append_as_follower(at(7), 0));  // the leader has compacted
  EXPECT_EQ(f.log().log_end_offset(), 9);
  EXPECT_EQ(f.log().latest_epoch(), 3);
  EXPECT_EQ(records_of(f.log().read(4, 1, 9, true)->records).first_offset, 7);
  Bytes twice = at(9);
  const Bytes again = at(10);
  twice.insert(twice.end(), again.begin(), again.end());
  EXPECT_EQ(f.log().append_as_follower(twice, 0).error().code, ErrorCode::kOffsetOutOfRange);
  EXPECT_EQ(f.log().log_end_offset(), 9);
}

TEST(LogInvariants, AFollowersGapTooWideForOneSegmentStartsANewOne) {
  LogFixture f;
  ASSERT_TRUE(f.log().append_as_follower(batch_of({.base_offset = 0}), 0));
  const std::int64_t far = 5'000'000'000;
  ASSERT_TRUE(f.log().append_as_follower(batch_of({.base_offset = far}), 0));
  EXPECT_EQ(f.log().active_segment_base_offset(), far);
  EXPECT_EQ(records_of(f.log().read(1, 1, far + 1, true)->records).first_offset, far);
}

TEST(LogInvariants, I1_DuplicatesGetTheirFirstOffsetAndWriteNothing) {
  LogFixture f;
  ASSERT_TRUE(f.append({.records = 3}));
  const BatchSpec spec{
      .records = 2, .timestamp = 5000, .producer_id = 7, .producer_epoch = 0, .base_sequence = 0};
  ASSERT_TRUE(f.append(spec));
  const State before = state_of(f.log());
  const auto again = f.append(spec);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->first_offset, 3);
  EXPECT_EQ(again->last_offset, 4);
  EXPECT_EQ(again->max_timestamp, 5001);
  EXPECT_EQ(state_of(f.log()), before);
}

TEST(LogInvariants, I4_AllFiveBatchesAreRememberedAcrossEveryKindOfRestart) {
  LogFixture f(1, small_segments());
  const auto spec = [](int i) {
    return BatchSpec{
        .timestamp = 1000 + i, .value_size = 200, .producer_id = 7, .producer_epoch = 0, .base_sequence = i};
  };
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(f.append(spec(i)));
  const auto check = [&] {
    for (int i = 7; i < 12; ++i) {
      const auto info = f.append(spec(i));
      ASSERT_TRUE(info) << i;
      EXPECT_TRUE(info->duplicate);
      EXPECT_EQ(info->first_offset, i);
    }
    EXPECT_FALSE(f.append(spec(6)));
  };
  check();
  ASSERT_TRUE(f.restart());
  check();
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing));
  check();
  ASSERT_TRUE(f.truncate_to(11));
  EXPECT_EQ(f.append(spec(11))->first_offset, 11);
  check();
}

TEST(Log, AbortedTransactionsAreFoundInLiveSealedAndReopenedSegments) {
  LogFixture f(1, small_segments());
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(f.append({.value_size = 300,
                          .producer_id = 1,
                          .producer_epoch = 0,
                          .base_sequence = i,
                          .transactional = true}));
    ASSERT_TRUE(f.append(marker_of(1, 0, i % 2 == 0), {.origin = AppendOrigin::kCoordinator}));
  }
  const auto check = [&] {
    const auto all = *f.log().aborted_transactions(0, 16);
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(all[0], (AbortedTransaction{1, 2, 3, 4}));
    EXPECT_EQ(f.log().aborted_transactions(4, 6)->size(), 0u);
    EXPECT_EQ(f.log().aborted_transactions(3, 7)->size(), 2u);
  };
  check();
  ASSERT_TRUE(f.log().flush());
  f.log().release_idle_files();
  f.log().release_idle_files();
  check();
  ASSERT_TRUE(f.restart());
  check();
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing));
  check();
}

TEST(Log, EpochsSurviveAndAnswerAsKafka) {
  LogFixture f;
  f.log().assign_epoch(0);
  ASSERT_TRUE(f.append({.records = 5}, {.leader_epoch = 0}));
  f.log().assign_epoch(2);
  ASSERT_TRUE(f.append({.records = 5}, {.leader_epoch = 2}));
  f.log().assign_epoch(3);  // a leader that wrote nothing
  const auto check = [&](LeaderEpoch last) {
    EXPECT_EQ(f.log().end_offset_for_epoch(1).end_offset, 5);
    EXPECT_EQ(f.log().end_offset_for_epoch(1).leader_epoch, 0);
    EXPECT_EQ(f.log().end_offset_for_epoch(2).end_offset, 10);
    EXPECT_EQ(f.log().latest_epoch(), last);
    EXPECT_EQ(f.log().epoch_of(7), 2);
  };
  check(3);
  ASSERT_TRUE(f.restart());
  check(2);
  ASSERT_TRUE(f.crash(MemFs::Loss::kNothing));
  check(2);
  ASSERT_TRUE(f.truncate_to(5));
  EXPECT_EQ(f.log().latest_epoch(), 0);
}

TEST(Log, TruncationTakesTheStraddlingBatchAndFollowersCanGoOn) {
  LogFixture f(1, small_segments());
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(f.append({.records = 3, .value_size = 60, .seed = i}));
  const auto before = read_all(f.log());
  EXPECT_EQ(*f.log().truncation_offset(31), 30);
  ASSERT_TRUE(f.truncate_to(31));
  EXPECT_EQ(f.log().log_end_offset(), 30);
  EXPECT_EQ(f.log().high_watermark(), 30);
  EXPECT_EQ(read_all(f.log()), (std::vector<ReadRecord>(before.begin(), before.begin() + 30)));
  EXPECT_EQ(f.append(BatchSpec{})->first_offset, 30);
  ASSERT_TRUE(f.truncate_to(1000));
  EXPECT_EQ(f.log().log_end_offset(), 31);
}

TEST(Log, StartingAnewRemembersItsOffsetThroughACrash) {
  LogFixture f;
  ASSERT_TRUE(f.append({.records = 5}));
  {
    const auto permit = f.directory().permit_truncation(f.partition(), 0);
    ASSERT_TRUE(permit);
    ASSERT_TRUE(f.log().truncate_fully_and_start_at(1000, *permit, 0));
  }
  ASSERT_TRUE(f.crash(MemFs::Loss::kUnsynced));
  EXPECT_EQ(f.log().log_start_offset(), 1000);
  EXPECT_EQ(f.log().log_end_offset(), 1000);
}

TEST(Log, IdleFilesAreClosedAndOpenedAgainWhenNeeded) {
  LogFixture f(1, small_segments());
  for (std::uint64_t i = 0; i < 60; ++i) ASSERT_TRUE(f.append({.value_size = 80, .seed = i}));
  ASSERT_TRUE(f.log().flush());
  const auto before = read_all(f.log());
  f.log().release_idle_files();
  f.log().release_idle_files();
  const auto calls = f.fs().calls();
  EXPECT_EQ(read_all(f.log()), before);
  EXPECT_GT(f.fs().calls(), calls);
  EXPECT_TRUE(f.append({.value_size = 80}));
}

TEST(Log, AFailedWriteTakesTheWholeDirectoryOffline) {
  LogFixture f;
  ASSERT_TRUE(f.append(BatchSpec{}));
  f.fs().fail({.call = "pwritev", .code = EIO, .path_part = ".log"});
  EXPECT_EQ(f.append(BatchSpec{}).error().code, ErrorCode::kKafkaStorageError);
  EXPECT_TRUE(f.directory().health().offline());
  EXPECT_EQ(f.directory().health().reason(),
            "pwritev: Input/output error (/data/topic-0/00000000000000000000.log)");
  EXPECT_EQ(f.append(BatchSpec{}).error().code, ErrorCode::kKafkaStorageError);
  EXPECT_EQ(f.log().read(0, 1, 1, true).error().code, ErrorCode::kKafkaStorageError);
}

}  // namespace
}  // namespace milena::storage
