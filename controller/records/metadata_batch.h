// Batches of the metadata log and of snapshots: lists of metadata records, or of control records.
//
// docs/formats/metadata_records.md. Batches are never compressed, have no producer, and number their records
// without gaps. Decoding trusts nothing: the checksum is verified and every field bounded. Pure functions;
// any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "controller/records/metadata_record.h"
#include "protocol/kraft_version_record.gen.h"
#include "protocol/leader_change_message.gen.h"
#include "protocol/record_batch.h"
#include "protocol/snapshot_footer_record.gen.h"
#include "protocol/snapshot_header_record.gen.h"
#include "protocol/types.h"
#include "protocol/voters_record.gen.h"

namespace milena::controller {

// monostate: a control record that a newer version wrote, to be skipped.
using ControlRecord =
    std::variant<std::monostate, protocol::LeaderChangeMessage, protocol::SnapshotHeaderRecord,
                 protocol::SnapshotFooterRecord, protocol::KRaftVersionRecord, protocol::VotersRecord>;

// Where a batch stands, or is going to stand.
struct BatchPosition {
  protocol::Offset base_offset;
  protocol::LeaderEpoch epoch;
  std::int64_t timestamp_ms = 0;
};

// One of the two lists is empty. Views of the batch's bytes and of the arena.
struct MetadataBatch {
  BatchPosition position;
  protocol::Offset last_offset;
  std::span<const MetadataRecord> records;
  std::span<const ControlRecord> control;
};

// What Java's raft client accepts as one batch, and what a user's request may change at once.
inline constexpr std::size_t kMaxBatchBytes = std::size_t{8} * 1024 * 1024;
inline constexpr std::size_t kMaxRecordsPerOperation = 10'000;

// kCorruptMessage for anything that is not a well-formed batch of this log.
Result<MetadataBatch> decode_metadata_batch(const protocol::RecordBatchView& batch, Arena& arena);

// One batch. `records` is not empty. kRecordListTooLarge above kMaxBatchBytes.
Result<std::vector<std::byte>> encode_metadata_batch(std::span<const MetadataRecord> records,
                                                     const BatchPosition& position);

// One batch of control records; none of them monostate, and few enough to fit.
std::vector<std::byte> encode_control_batch(std::span<const ControlRecord> records,
                                            const BatchPosition& position);

}  // namespace milena::controller
