// The three indexes: their bytes are Kafka's, their look-ups are floor searches, and bytes from a file are
// checked.
#include <gtest/gtest.h>

#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/txn_index.h"

namespace milena::storage {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

std::vector<std::byte> copy(BytesView bytes) { return {bytes.begin(), bytes.end()}; }

TEST(OffsetIndex, EntriesAreRelativeOffsetAndPosition) {
  OffsetIndex index(100);
  index.append(103, 0x0102);
  index.append(110, 0x010203);
  EXPECT_EQ(copy(index.bytes()), bytes_of({0, 0, 0, 3, 0, 0, 1, 2, 0, 0, 0, 10, 0, 1, 2, 3}));
}

TEST(OffsetIndex, LookupFindsTheEntryAtOrBelow) {
  OffsetIndex index(100);
  EXPECT_EQ(index.lookup(500).position, 0u);
  index.append(103, 40);
  index.append(110, 80);
  EXPECT_EQ(index.lookup(99).position, 0u);
  EXPECT_EQ(index.lookup(102).offset, 100);
  EXPECT_EQ(index.lookup(103).position, 40u);
  EXPECT_EQ(index.lookup(109).position, 40u);
  EXPECT_EQ(index.lookup(1'000'000).position, 80u);
  EXPECT_EQ(index.at_or_beyond(41)->offset, 110);
  EXPECT_EQ(index.at_or_beyond(40)->offset, 103);
  EXPECT_FALSE(index.at_or_beyond(81));
}

TEST(OffsetIndex, TruncationDropsEntriesAtOrAbove) {
  OffsetIndex index(0);
  for (int i = 1; i <= 5; ++i) index.append(std::int64_t{i} * 10, static_cast<std::uint32_t>(i * 100));
  index.truncate_to(30);
  EXPECT_EQ(index.entries(), 2u);
  index.truncate_to(21);
  EXPECT_EQ(index.entries(), 2u);
  index.truncate_to(0);
  EXPECT_EQ(index.entries(), 0u);
}

TEST(OffsetIndex, UnsoundBytesAreNoticed) {
  const auto sound = [](std::vector<std::byte> bytes, std::uint64_t log_size) {
    return OffsetIndex(0, IndexBytes<8>(std::move(bytes))).is_sound(log_size);
  };
  EXPECT_TRUE(sound({}, 0));
  EXPECT_TRUE(sound(bytes_of({0, 0, 0, 1, 0, 0, 0, 9}), 10));
  EXPECT_FALSE(sound(bytes_of({0, 0, 0, 1, 0, 0, 0, 9}), 9));  // beyond the log
  EXPECT_FALSE(sound(bytes_of({0, 0, 0, 1, 0, 0, 0}), 10));    // cut
  EXPECT_FALSE(sound(bytes_of({255, 0, 0, 1, 0, 0, 0, 9}), 10));
  EXPECT_FALSE(
      sound(bytes_of({0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 10}), 99));  // the same offset twice
  EXPECT_FALSE(sound(bytes_of({0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 9}), 99));  // and position
}

TEST(TimeIndex, EntriesAreTimestampAndRelativeOffset) {
  TimeIndex index(100);
  index.append(0x0102030405060708, 107);
  EXPECT_EQ(copy(index.bytes()), bytes_of({1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 7}));
}

TEST(TimeIndex, KeepsOnlyEntriesThatAreYoungerThanAllBefore) {
  TimeIndex index(0);
  EXPECT_EQ(index.last().timestamp, -1);
  index.append(10, 5);
  index.append(10, 9);
  index.append(8, 12);
  EXPECT_EQ(index.entries(), 1u);
  index.append(11, 15);
  EXPECT_EQ(index.last().offset, 15);
  EXPECT_EQ(index.lookup(9).offset, 0);
  EXPECT_EQ(index.lookup(10).offset, 5);
  EXPECT_EQ(index.lookup(99).offset, 15);
  index.truncate_to(15);
  EXPECT_EQ(index.last().timestamp, 10);
}

TEST(TimeIndex, UnsoundBytesAreNoticed) {
  TimeIndex good(0);
  good.append(10, 1);
  good.append(20, 2);
  const auto sound = [](std::vector<std::byte> bytes) {
    return TimeIndex(0, IndexBytes<12>(std::move(bytes))).is_sound();
  };
  EXPECT_TRUE(sound(copy(good.bytes())));
  auto swapped = copy(good.bytes().subspan(12));
  swapped.insert(swapped.end(), good.bytes().begin(), good.bytes().begin() + 12);
  EXPECT_FALSE(sound(swapped));
  EXPECT_FALSE(sound(copy(good.bytes().first(23))));
}

TEST(TxnIndex, RoundTripsInKafkasBytes) {
  const std::vector<AbortedTransaction> aborted = {{7, 10, 20, 21}, {8, 5, 30, 15}};
  const auto bytes = encode_txn_index(aborted);
  EXPECT_EQ(bytes.size(), 2 * kTxnIndexEntrySize);
  EXPECT_EQ(copy(BytesView(bytes).first(12)), bytes_of({0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0}));
  EXPECT_EQ(decode_txn_index(bytes, 0), aborted);
}

TEST(TxnIndex, OtherBytesAreRefused) {
  auto bytes = encode_txn_index(std::vector<AbortedTransaction>{{7, 10, 20, 21}, {8, 5, 30, 15}});
  EXPECT_FALSE(decode_txn_index(BytesView(bytes).first(60), 0));  // cut
  EXPECT_FALSE(decode_txn_index(bytes, 21));                      // a marker below the segment
  bytes[1] = std::byte{1};
  EXPECT_FALSE(decode_txn_index(bytes, 0));  // a newer version
}

TEST(TxnIndex, CollectsWhatOverlapsAndKnowsWhenNoMoreCanCome) {
  const std::vector<AbortedTransaction> index = {{1, 0, 10, 5}, {2, 5, 20, 21}};
  std::vector<AbortedTransaction> out;
  EXPECT_FALSE(collect_aborted(index, 11, 30, out));
  EXPECT_EQ(out, (std::vector<AbortedTransaction>{index[1]}));
  out.clear();
  EXPECT_TRUE(collect_aborted(index, 0, 5, out));
  EXPECT_EQ(out, (std::vector<AbortedTransaction>{index[0]}));
}

}  // namespace
}  // namespace milena::storage
