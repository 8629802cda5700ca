#include "protocol/control_record.h"

#include <gtest/gtest.h>

#include "protocol/error_code.h"
#include "protocol/record_batch.h"

namespace milena::protocol {
namespace {

RecordView only_record(const RecordBatchView& batch) {
  RecordIterator records(batch.payload(), batch.record_count());
  return *records.next().value();
}

TEST(ControlRecord, EndTxnMarkerReadsBack) {
  for (const auto type : {ControlRecordType::kAbort, ControlRecordType::kCommit}) {
    const auto bytes = build_end_txn_marker(
        {.base_offset = 9, .partition_leader_epoch = 2, .producer_id = 77, .producer_epoch = 5}, 1234, type,
        31);
    const auto batch = RecordBatchView::parse(bytes).value();
    EXPECT_TRUE(batch.crc_matches());
    EXPECT_TRUE(batch.is_control());
    EXPECT_TRUE(batch.is_transactional());
    EXPECT_EQ(batch.base_sequence(), kNoSequence);
    EXPECT_EQ(batch.producer_id(), ProducerId(77));
    EXPECT_EQ(batch.max_timestamp(), 1234);
    const auto record = only_record(batch);
    EXPECT_EQ(control_record_type(record).value(), type);
    EXPECT_EQ(end_txn_marker_coordinator_epoch(record).value(), 31);
  }
}

TEST(ControlRecord, QuorumRecordsCarryTheirMessageAsIs) {
  const auto bytes = build_control_batch({.base_offset = 4, .partition_leader_epoch = 8}, 1,
                                         ControlRecordType::kLeaderChange, as_bytes("message"));
  const auto batch = RecordBatchView::parse(bytes).value();
  EXPECT_TRUE(batch.is_control());
  EXPECT_FALSE(batch.is_transactional());
  const auto record = only_record(batch);
  EXPECT_EQ(control_record_type(record).value(), ControlRecordType::kLeaderChange);
  EXPECT_EQ(as_text(*record.value), "message");
}

TEST(ControlRecord, TypesOfNewerVersionsAreUnknownAndNewerVersionsAreRead) {
  RecordView record;
  record.key = as_bytes({"\x00\x00\x00\x07", 4});
  EXPECT_EQ(control_record_type(record).value(), ControlRecordType::kUnknown);
  record.key = as_bytes({"\x00\x09\x00\x01\xff\xff", 6});
  EXPECT_EQ(control_record_type(record).value(), ControlRecordType::kCommit);
  record.value = as_bytes({"\x00\x03\x00\x00\x00\x05\x01", 7});
  EXPECT_EQ(end_txn_marker_coordinator_epoch(record).value(), 5);
}

TEST(ControlRecord, ShortOrMissingOrNegativelyVersionedPartsAreInvalid) {
  RecordView record;
  EXPECT_EQ(control_record_type(record).error().code, ErrorCode::kInvalidRecord);
  EXPECT_EQ(end_txn_marker_coordinator_epoch(record).error().code, ErrorCode::kInvalidRecord);
  record.key = as_bytes({"\x00\x00\x00", 3});
  EXPECT_FALSE(control_record_type(record));
  record.key = as_bytes({"\xff\xff\x00\x01", 4});
  EXPECT_FALSE(control_record_type(record));
  record.value = as_bytes({"\x00\x00\x00\x00\x00", 5});
  EXPECT_FALSE(end_txn_marker_coordinator_epoch(record));
  record.value = as_bytes({"\xff\xff\x00\x00\x00\x00", 6});
  EXPECT_FALSE(end_txn_marker_coordinator_epoch(record));
}

}  // namespace
}  // namespace milena::protocol
