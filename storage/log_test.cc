// Log: the invariants L1-L11 of a single replica that are the log's business, and its reads.
#include "storage/log.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "storage/log_fixture.h"

namespace milena::storage {
namespace {

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
  LogFixture f;
  for (std::uint64_t i = 0; i < 50; ++i) ASSERT_TRUE(f.append({.records = 3, .value_size = 300, .seed = i}));
  const auto before = read_all(f.log());
  EXPECT_EQ(read_all(f.log()), before);
  ASSERT_TRUE(f.restart());
  EXPECT_EQ(read_all(f.log()), before);
}

}  // namespace
}  // namespace milena::storage
