// What goes into a Log and what comes out of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/fs.h"
#include "protocol/types.h"

namespace milena::storage {

using protocol::LeaderEpoch;
using protocol::Offset;
using protocol::ProducerId;

// Who writes; decides which producer checks apply (Kafka's AppendOrigin).
// Names one question to a transaction's coordinator about a partition; 0 is none.
using VerificationTicket = std::uint64_t;

enum class AppendOrigin {
  kClient,       // sequence numbers, epochs and duplicates are checked
  kCoordinator,  // epochs and coordinator epochs are checked: markers, group and transaction records,
                 // metadata
  kReplication,  // the leader has checked; nothing is refused
};

struct AppendOptions {
  LeaderEpoch leader_epoch = 0;
  AppendOrigin origin = AppendOrigin::kClient;
  // Of the transaction a marker ends: from 2 on its epoch must be above the producer's (KIP-890).
  std::int16_t transaction_version = 0;
  // The ticket of Log::begin_verification() under which a transactional batch may open a transaction here;
  // none: nobody asks (transaction.partition.verification.enable=false).
  std::optional<VerificationTicket> verification{};
  std::int64_t now_ms = 0;  // wall clock; for segment.ms
};

struct AppendInfo {
  Offset first_offset = protocol::kNoOffset;
  Offset last_offset = protocol::kNoOffset;
  std::int64_t max_timestamp = -1;  // of the batches; of the remembered batch for a duplicate
  // Nothing was written: the offsets are those of the first, successful append (KIP-98).
  bool duplicate = false;
  // A segment was sealed on the way: run a flush job soon.
  bool rolled = false;
};

// A range of a log file. Holding it keeps the file readable, even after the segment is deleted.
struct FileSlice {
  std::shared_ptr<const File> file;
  std::uint64_t position = 0;
  std::uint32_t size = 0;
};

struct ReadInfo {
  // Whole batches from the one that holds the asked offset on; the last may be cut by max_bytes, as in Kafka.
  // Empty when nothing lies below the bound.
  FileSlice records;
  Offset upper_bound = protocol::kNoOffset;  // above every offset in `records`: for aborted_transactions
};

// What survives a crash about a log besides its own files: a line in each of the directory's checkpoints.
struct LogCheckpoint {
  Offset recovery_point = 0;
  Offset log_start_offset = 0;
  Offset high_watermark = 0;

  // The log surely had records up to here, if it had any.
  Offset known_end() const { return std::max(recovery_point, high_watermark); }
  bool has_records() const { return known_end() > 0; }
  bool operator==(const LogCheckpoint&) const = default;
};

// An answer to "which offset has this timestamp".
struct TimestampAndOffset {
  std::int64_t timestamp = -1;
  Offset offset = protocol::kNoOffset;
  LeaderEpoch leader_epoch = protocol::kNoLeaderEpoch;
};

// The end of an epoch: the first offset of the next larger epoch the log knows.
struct EpochEndOffset {
  LeaderEpoch leader_epoch = protocol::kNoLeaderEpoch;
  Offset end_offset = protocol::kNoOffset;
};

// One aborted transaction, as .txnindex holds it.
struct AbortedTransaction {
  ProducerId producer_id = protocol::kNoProducerId;
  Offset first_offset = 0;
  Offset last_offset = 0;  // of the abort marker
  Offset last_stable_offset = 0;
  bool operator==(const AbortedTransaction&) const = default;
};

// One producer with state in this log (DescribeProducers).
struct ActiveProducer {
  ProducerId producer_id = protocol::kNoProducerId;
  std::int16_t producer_epoch = -1;
  std::int32_t last_sequence = -1;
  std::int64_t last_timestamp = -1;
  std::int32_t coordinator_epoch = -1;
  Offset current_txn_start_offset = protocol::kNoOffset;
  bool operator==(const ActiveProducer&) const = default;
};

}  // namespace milena::storage
