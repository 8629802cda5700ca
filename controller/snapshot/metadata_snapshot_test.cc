#include "controller/snapshot/metadata_snapshot.h"

#include <gtest/gtest.h>

#include <vector>

#include "controller/image/metadata_loader.h"
#include "controller/testing/random_log.h"
#include "protocol/error_code.h"

namespace milena::controller {
namespace {

const QuorumConfig kQuorum{
    .kraft_version = 1,
    .voters = {{.key = {1, Uuid::from_halves(8, 8)}, .endpoints = {{"CONTROLLER", "localhost", 9093}}}},
    .in_log = true};

std::vector<std::byte> written(const MetadataImage& image, const QuorumConfig& quorum = kQuorum) {
  std::vector<std::byte> file;
  const Status status = write_snapshot(image, quorum, 5'000, [&](BytesView batch) -> Status {
    file.insert(file.end(), batch.begin(), batch.end());
    return {};
  });
  EXPECT_TRUE(status);
  return file;
}

TEST(SnapshotId, NamesAreKafkas) {
  const SnapshotId id{.end_offset = 1234, .epoch = 7};
  EXPECT_EQ(id.file_name(), "00000000000000001234-0000000007.checkpoint");
  EXPECT_EQ(SnapshotId::parse(id.file_name()), id);
  for (const char* name :
       {"", "quorum-state", "00000000000000001234-0000000007.checkpoint.part",
        "0000000000000000-234-0000000007.checkpoint", "-0000000000000001234-0000000007.checkpoint",
        "99999999999999999999-0000000007.checkpoint", "00000000000000001234-9999999999.checkpoint",
        "00000000000000001234-000000000x.checkpoint"}) {
    EXPECT_FALSE(SnapshotId::parse(name)) << name;
  }
  EXPECT_TRUE((SnapshotId{}.is_bootstrap()));
}

TEST(MetadataSnapshot, HoldsTheWholeImageAndTheQuorum) {
  test_support::RandomLog log(3);
  while (log.batches().size() < 400 || log.in_transaction()) log.append_batch();
  const MetadataImage image = log.image();
  const auto read = read_snapshot(written(image), snapshot_id(image));
  ASSERT_TRUE(read) << read.error().why;
  EXPECT_EQ(read->image, image);
  EXPECT_EQ(read->quorum, kQuorum);
}

// Invariant K3: a snapshot and the log behind it are worth the whole log.
TEST(MetadataSnapshot, SnapshotAndSuffixEqualTheWholeLog) {
  for (std::uint64_t seed = 100; seed < 130; ++seed) {
    test_support::RandomLog log(seed);
    SeededRng rng(seed);
    std::optional<std::vector<std::byte>> snapshot;
    SnapshotId id;
    std::size_t suffix = 0;
    for (int i = 0; i < 150; ++i) {
      log.append_batch();
      if (!log.in_transaction() && rng.one_in(40)) {
        snapshot = written(log.image());
        id = snapshot_id(log.image());
        suffix = log.batches().size();
      }
    }
    if (!snapshot) continue;
    auto start = read_snapshot(*snapshot, id);
    ASSERT_TRUE(start) << start.error().why;
    MetadataLoader loader(std::move(start->image));
    Arena arena;
    for (std::size_t i = suffix; i < log.batches().size(); ++i) {
      const auto batch = decode_metadata_batch(*protocol::RecordBatchView::parse(log.batches()[i]), arena);
      ASSERT_TRUE(batch);
      ASSERT_TRUE(loader.load(*batch));
    }
    ASSERT_EQ(*loader.image(), log.image()) << "seed " << seed;
  }
}

TEST(MetadataSnapshot, TheSameImageMakesTheSameBytes) {
  test_support::RandomLog log(5);
  while (log.batches().size() < 100 || log.in_transaction()) log.append_batch();
  const auto read = read_snapshot(written(log.image()), snapshot_id(log.image()));
  ASSERT_TRUE(read);
  EXPECT_EQ(written(read->image), written(log.image()));
}

TEST(MetadataSnapshot, EveryTruncationIsNoticed) {
  test_support::RandomLog log(6);
  while (log.batches().size() < 30 || log.in_transaction()) log.append_batch();
  const auto file = written(log.image());
  const SnapshotId id = snapshot_id(log.image());
  for (std::size_t size = 0; size < file.size(); size += 1 + size / 97) {
    const auto read = read_snapshot(BytesView(file).first(size), id);
    ASSERT_FALSE(read) << size;
    ASSERT_EQ(read.error().code, ErrorCode::kCorruptMessage);
  }
}

TEST(MetadataSnapshot, EveryFlippedBitIsNoticed) {
  test_support::RandomLog log(7);
  while (log.batches().size() < 10 || log.in_transaction()) log.append_batch();
  const auto file = written(log.image());
  const SnapshotId id = snapshot_id(log.image());
  for (std::size_t at = 0; at < file.size(); ++at) {
    auto damaged = file;
    damaged[at] ^= std::byte{1};
    EXPECT_FALSE(read_snapshot(damaged, id)) << at;
  }
}

TEST(MetadataSnapshot, OrderIsCheckedNotAssumed) {
  const std::vector<std::byte> empty = written({}, {});
  EXPECT_TRUE(read_snapshot(empty, snapshot_id({})));
  EXPECT_STREQ(read_snapshot({}, {}).error().why, "a snapshot does not end with its footer");
  std::vector<std::byte> twice = empty;
  twice.insert(twice.end(), empty.begin(), empty.end());
  EXPECT_STREQ(read_snapshot(twice, snapshot_id({})).error().why, "a snapshot goes on behind its footer");
  EXPECT_STREQ(read_snapshot(empty, {.end_offset = 0, .epoch = 9}).error().why,
               "a snapshot holds a batch of another epoch");
  const MetadataRecord noop[] = {{.body = protocol::NoOpRecord{}}};
  const auto headless = encode_metadata_batch(noop, {.base_offset = 0, .epoch = 0}).value();
  EXPECT_STREQ(read_snapshot(headless, {}).error().why, "a snapshot does not begin with its header");
}

TEST(MetadataSnapshot, AFailingSinkStopsTheWriter) {
  test_support::RandomLog log(8);
  while (log.batches().size() < 50 || log.in_transaction()) log.append_batch();
  int calls = 0;
  const Status status = write_snapshot(log.image(), kQuorum, 0, [&](BytesView) -> Status {
    return ++calls == 2 ? Status(fail(ErrorCode::kKafkaStorageError, "disk full")) : Status();
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kKafkaStorageError);
  EXPECT_EQ(calls, 2);
}

TEST(SnapshotTrigger, FiresByBytesOrByTimeIfThereIsAnythingNew) {
  SnapshotTrigger trigger({.max_bytes = 100, .max_interval_ms = 1'000}, 0);
  EXPECT_FALSE(trigger.is_due(5'000));
  trigger.on_batch(60);
  EXPECT_FALSE(trigger.is_due(999));
  EXPECT_TRUE(trigger.is_due(1'000));
  trigger.on_batch(40);
  EXPECT_TRUE(trigger.is_due(0));
  trigger.reset(1'000);
  EXPECT_FALSE(trigger.is_due(1'500));
  SnapshotTrigger never({.max_bytes = 100, .max_interval_ms = 0}, 0);
  never.on_batch(1);
  EXPECT_FALSE(never.is_due(1'000'000'000));
}

}  // namespace
}  // namespace milena::controller
