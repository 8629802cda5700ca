// Control records: what the broker itself writes between the records of clients.
//
// A control batch holds one or more of them and has the control bit set; consumers skip it. Key: version i16,
// type i16. Value: for transaction markers version i16 and coordinator epoch i32; for the quorum's records a
// message of protocol/schema (LeaderChangeMessage, SnapshotHeaderRecord, ...) without a version in front.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/record_batch_builder.h"
#include "protocol/record_batch_records.h"

namespace milena::protocol {

enum class ControlRecordType : std::int16_t {
  kUnknown = -1,  // written by a newer version: to be ignored
  kAbort = 0,
  kCommit = 1,
  kLeaderChange = 2,
  kSnapshotHeader = 3,
  kSnapshotFooter = 4,
  kKraftVersion = 5,
  kKraftVoters = 6,
};

// Errors of both: kInvalidRecord, for a key or value that is missing, too short, or of a negative version.
// Newer versions are read as the newest known one.
Result<ControlRecordType> control_record_type(const RecordView& record);
// `record` is a kAbort or kCommit marker; returns the epoch of the coordinator that wrote it.
Result<std::int32_t> end_txn_marker_coordinator_epoch(const RecordView& record);

// The key of a control record, for batches that hold several; `type` is not kUnknown.
std::array<std::byte, 4> control_record_key(ControlRecordType type);

// A batch with one control record. Sets the control bit; `type` is not kUnknown. The rest is the caller's.
std::vector<std::byte> build_control_batch(BatchSettings settings, std::int64_t timestamp_ms,
                                           ControlRecordType type, BytesView value);

// The marker that ends a transaction on one partition: transactional, without sequence.
// `settings` names the producer and its epoch; `type` is kAbort or kCommit.
std::vector<std::byte> build_end_txn_marker(BatchSettings settings, std::int64_t timestamp_ms,
                                            ControlRecordType type, std::int32_t coordinator_epoch);

}  // namespace milena::protocol
