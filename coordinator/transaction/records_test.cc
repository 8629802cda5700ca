// The bytes of __transaction_state, as Kafka 4.3 writes them; see docs/formats/transaction_state.md.
#include "coordinator/transaction/records.h"

#include <gtest/gtest.h>

#include <limits>

#include "coordinator/transaction/testing/transaction_harness.h"
#include "protocol/hex.h"

namespace milena::coordinator {
namespace {

using namespace testing_support;  // NOLINT(google-build-using-namespace)
using protocol::to_hex;

Transaction sample() {
  Transaction t;
  t.state = TransactionState::kPrepareCommit;
  t.producer = {7, 3};
  t.previous_producer_id = 7;
  t.client_version = 2;
  t.timeout_ms = 60'000;
  t.start_ms = 0x0102;
  t.last_update_ms = 0x0304;
  t.partitions = {{"t", {0, 2}}};
  return t;
}

struct Written {
  TransactionOutcome out;
  std::string key;
  std::string value;
};

std::unique_ptr<Written> write(const Transaction& transaction, std::int16_t level) {
  auto written = std::make_unique<Written>();
  append_transaction(written->out, "x", transaction, level);
  const EncodedRecord& record = written->out.records()[0];
  written->key = to_hex(record.key);
  written->value = to_hex(*record.value);
  return written;
}

TEST(TransactionRecordsTest, LevelZeroWritesPlainRecordsWithoutTaggedFields) {
  const auto written = write(sample(), 0);
  EXPECT_EQ(written->key,
            "0000"
            "000178");
  EXPECT_EQ(written->value,
            "0000"
            "0000000000000007"
            "0003"
            "0000ea60"
            "02"
            "00000001"
            "000174"
            "00000002"
            "00000000"
            "00000002"
            "0000000000000304"
            "0000000000000102");
}

TEST(TransactionRecordsTest, LevelsOneAndTwoWriteFlexibleRecordsWithTaggedFields) {
  for (const std::int16_t level : std::initializer_list<std::int16_t>{1, 2}) {
    EXPECT_EQ(write(sample(), level)->value,
              "0001"
              "0000000000000007"
              "0003"
              "0000ea60"
              "02"
              "02"
              "0274"
              "03"
              "00000000"
              "00000002"
              "00"
              "0000000000000304"
              "0000000000000102"
              "02"
              "0008"
              "0000000000000007"
              "0202"
              "0002");
  }
}

TEST(TransactionRecordsTest, EmptyTransactionHasNoListOfPartitionsAndACompleteOneAnEmptyList) {
  Transaction t = sample();
  t.partitions.clear();
  t.client_version = 0;
  t.previous_producer_id = -1;
  t.state = TransactionState::kEmpty;
  EXPECT_EQ(write(t, 2)->value,
            "0001"
            "0000000000000007"
            "0003"
            "0000ea60"
            "00"
            "00"
            "0000000000000304"
            "0000000000000102"
            "00");
  t.state = TransactionState::kCompleteAbort;
  EXPECT_EQ(write(t, 2)->value,
            "0001"
            "0000000000000007"
            "0003"
            "0000ea60"
            "05"
            "01"
            "0000000000000304"
            "0000000000000102"
            "00");
}

TEST(TransactionRecordsTest, WhatIsWrittenIsRead) {
  Transaction t = sample();
  t.next_producer_id = 9;
  const auto written = write(t, 2);
  Arena arena;
  const EncodedRecord& record = written->out.records()[0];
  EXPECT_EQ(read_transactional_id(record.key, arena), "x");
  EXPECT_EQ(read_transaction(*record.value, arena), t);
}

TEST(TransactionRecordsTest, WhatNoCoordinatorCouldGoOnWithIsSkipped) {
  Arena arena;
  const auto readable = [&](auto edit) {
    Transaction t = sample();
    edit(t);
    return read_transaction(*write(t, 2)->out.records()[0].value, arena).has_value();
  };
  EXPECT_TRUE(readable([](Transaction&) {}));
  EXPECT_FALSE(readable([](Transaction& t) { t.state = TransactionState::kDead; }));
  EXPECT_FALSE(readable([](Transaction& t) { t.state = TransactionState::kPrepareEpochFence; }));
  // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): a damaged log says what it likes
  EXPECT_FALSE(readable([](Transaction& t) { t.state = static_cast<TransactionState>(-1); }));
  EXPECT_FALSE(readable([](Transaction& t) { t.producer.id = -1; }));
  EXPECT_FALSE(readable([](Transaction& t) { t.producer.epoch = -1; }));
  TransactionHarness h;
  const LogRecord foreign{
      .offset = 0, .key = as_bytes(std::string_view("\0\x09zz", 4)), .value = std::nullopt};
  h.shard.apply(h.now, [&](TransactionMachine& machine, TransactionOutcome&) { machine.replay(foreign); });
  EXPECT_EQ(h.machine().skipped_records(), 1U);
}

// A log of Kafka's smallest and largest numbers: no sum overflows, and the coordinator goes on.
TEST(TransactionRecordsTest, NumbersAtTheirEndsDoNotOverflow) {
  constexpr auto kFirst = std::numeric_limits<std::int64_t>::min();
  constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t time : {kFirst, kLast}) {
    TransactionHarness h;
    Transaction t = sample();
    t.producer.epoch = 32767;
    t.start_ms = t.last_update_ms = time;
    t.timeout_ms = std::numeric_limits<std::int32_t>::min();
    for (const auto state : {TransactionState::kOngoing, TransactionState::kCompleteAbort}) {
      t.state = state;
      h.plant("x", t);
      h.ask<protocol::ListTransactionsResponse>(protocol::ListTransactionsRequest{.duration_filter = 0}, 2);
      h.init("x", {7, 32767});
      if (!h.markers.empty()) h.write_markers();
      h.advance(20'000);
      if (!h.markers.empty()) h.write_markers();
      EXPECT_EQ(h.transaction("x").producer.epoch, 0);
    }
  }
}

}  // namespace
}  // namespace milena::coordinator
