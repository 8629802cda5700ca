// ProducerState: what one log remembers about its producers: the last batches of each (duplicates, sequence
// numbers, KIP-98), open transactions, and finished ones whose marker is not replicated yet.
//
// Owned by a Log, under its owner's mutex. A function of the records: an append stages its batches first,
// which decides whether they are welcome and changes nothing, and commits once they are written. Recovery
// does the same with origin kReplication, which refuses nothing.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "protocol/record_batch.h"
#include "storage/log_types.h"

namespace milena::storage {

// The end of a transaction, from the one record of a control batch.
struct EndTxnMarker {
  bool commit = false;
  std::int32_t coordinator_epoch = -1;
};

// What producer state reads from a batch that has a producer id.
struct ProducerBatch {
  ProducerId producer_id;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  std::int32_t last_sequence = -1;
  Offset base_offset;
  Offset last_offset;
  std::int64_t max_timestamp = -1;
  bool transactional = false;
  // Control batches: `marker` is none for an empty one, which compaction leaves behind.
  bool control = false;
  std::optional<EndTxnMarker> marker;
};

// A batch that its producer may send again.
struct RememberedBatch {
  std::int32_t last_sequence = -1;
  std::int32_t offset_delta = 0;
  Offset last_offset;
  std::int64_t timestamp = -1;

  Offset first_offset() const { return last_offset - offset_delta; }
  std::int32_t first_sequence() const { return protocol::decrement_sequence(last_sequence, offset_delta); }
  bool operator==(const RememberedBatch&) const = default;
};

// One producer. `batches` is ordered from the oldest to the newest.
struct ProducerEntry {
  static constexpr std::size_t kBatchesRetained = 5;

  ProducerId producer_id;
  std::int64_t last_timestamp = -1;  // of the last batch or marker
  Offset current_txn_first_offset = protocol::kNoOffset;
  std::int32_t coordinator_epoch = -1;
  std::int16_t producer_epoch = -1;
  std::uint8_t batch_count = 0;
  std::array<RememberedBatch, kBatchesRetained> batches{};

  std::span<const RememberedBatch> remembered() const { return {batches.data(), batch_count}; }
  bool has_open_transaction() const { return current_txn_first_offset != protocol::kNoOffset; }
  std::int32_t last_sequence() const {
    return batch_count == 0 ? -1 : batches[batch_count - 1].last_sequence;
  }
  void remember(const RememberedBatch& batch);
  // A new epoch forgets the batches of the old one.
  void set_epoch(std::int16_t epoch);
  bool operator==(const ProducerEntry&) const = default;
};

// A finished transaction whose marker may lie above the high watermark: its records stay unstable.
struct UnreplicatedTransaction {
  Offset first_offset;
  Offset last_offset;  // of the marker
  bool operator==(const UnreplicatedTransaction&) const = default;
};

class ProducerState {
 public:
  // Decides about a batch, taking those staged before it into account. Holds the remembered batch when this
  // one is an exact copy of it; nothing of the append may then be written.
  //   INVALID_PRODUCER_EPOCH           from an older incarnation of the producer
  //   OUT_OF_ORDER_SEQUENCE_NUMBER     a gap, or a duplicate older than the remembered batches
  //   INVALID_TXN_STATE                a plain batch inside an open transaction; a client's transactional
  //   batch
  //                                    that would open one without the ticket of a verification
  //   TRANSACTION_COORDINATOR_FENCED   a marker from an older coordinator
  Result<std::optional<RememberedBatch>> stage(const ProducerBatch& batch, AppendOrigin origin,
                                               std::int16_t transaction_version,
                                               std::optional<VerificationTicket> verification = std::nullopt);
  void discard();
  // The staged batches are written. Appends the transactions they abort to `aborted`.
  void commit(std::vector<AbortedTransaction>& aborted);

  // Verification (KIP-890): before the first batch of a transaction is appended, the coordinator is asked
  // whether the partition takes part in it. A ticket stands for that question; it is void once the producer's
  // transaction has begun here, or has ended meanwhile, so that no late batch opens a transaction that nobody
  // will end. Lost in a restart, like the questions. None: the transaction of this epoch is open here, nobody
  // needs to be asked.
  std::optional<VerificationTicket> begin_verification(ProducerId id, std::int16_t epoch,
                                                       std::int64_t now_ms);

  // The lowest offset that belongs to an open transaction, or to a finished one not replicated yet.
  std::optional<Offset> first_unstable_offset() const;
  void on_high_watermark(Offset high_watermark);

  std::size_t size() const { return entries_.size(); }
  const ProducerEntry* find(ProducerId id) const;
  std::vector<ActiveProducer> active() const;  // by producer id
  void expire(std::int64_t now_ms, std::int64_t expiration_ms);
  void clear();

  // For snapshots: every entry by producer id, and the way back.
  std::vector<ProducerEntry> entries() const;
  std::span<const UnreplicatedTransaction> unreplicated() const { return unreplicated_; }
  void load(std::span<const ProducerEntry> entries, std::span<const UnreplicatedTransaction> unreplicated);

  bool operator==(const ProducerState& other) const;

 private:
  struct OpenTransaction {
    Offset first_offset;
    ProducerId producer_id;
    bool operator==(const OpenTransaction&) const = default;
  };
  struct FinishedTransaction {
    ProducerId producer_id;
    Offset first_offset;
    Offset last_offset;
    bool commit = false;
  };

  bool opens_unverified(const ProducerEntry& entry, const ProducerBatch& batch,
                        std::optional<VerificationTicket> verification) const;
  ProducerEntry& staged_entry(ProducerId id);
  void finish(const FinishedTransaction& txn, std::vector<AbortedTransaction>& aborted);

  boost::unordered_flat_map<std::int64_t, ProducerEntry> entries_;
  struct Verification {
    VerificationTicket ticket = 0;
    std::int64_t begun_ms = 0;
  };
  boost::unordered_flat_map<std::int64_t, Verification> verifications_;  // by producer id
  VerificationTicket last_ticket_ = 0;
  std::vector<OpenTransaction> open_;                  // by first offset
  std::vector<UnreplicatedTransaction> unreplicated_;  // in the order of their markers
  std::vector<ProducerEntry> staged_;                  // as the entries will be
  std::vector<FinishedTransaction> staged_finished_;
};

}  // namespace milena::storage
