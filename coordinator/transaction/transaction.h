// Transaction: what the coordinator knows of one transactional id, and which state follows from which.
//
// A value. The functions make the state that follows; whether it may follow now is for the caller to decide.
// They read no clock and cannot fail.
//
//   Empty, Complete*  --AddPartitions-->  Ongoing  --EndTxn, timeout, fence-->  Prepare*  --markers-->
//   Complete*
//
// Always: a Prepare* state never turns into anything but its own Complete*: the outcome is decided once.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "protocol/types.h"

namespace milena::coordinator {

// The numbers are those of the log.
enum class TransactionState : std::int8_t {
  kEmpty = 0,
  kOngoing = 1,
  kPrepareCommit = 2,
  kPrepareAbort = 3,
  kCompleteCommit = 4,
  kCompleteAbort = 5,
  // Kafka's names for moments between two records, which no transaction of ours is ever seen in: being
  // expired, being fenced.
  kDead = 6,
  kPrepareEpochFence = 7,
};

// As DescribeTransactions says it: "PrepareCommit".
std::string_view state_name(TransactionState state);
std::optional<TransactionState> state_of_name(std::string_view name);

using TopicPartitions = std::map<std::string, std::set<std::int32_t>, std::less<>>;

void insert_partition(TopicPartitions& partitions, std::string_view topic, std::int32_t partition);
bool contains_partition(const TopicPartitions& partitions, std::string_view topic, std::int32_t partition);
bool contains_all(const TopicPartitions& partitions, const TopicPartitions& others);

struct ProducerIdentity {
  protocol::ProducerId id = protocol::kNoProducerId;
  std::int16_t epoch = -1;

  bool operator==(const ProducerIdentity&) const = default;
};

// From here on a producer id gives no more epochs to clients: the last one is kept for fencing.
inline constexpr std::int16_t kLastProducerEpoch = 32766;
inline bool is_epoch_exhausted(std::int16_t epoch) { return epoch >= kLastProducerEpoch; }

// The timeout of a two-phase commit, which has none (KIP-939).
inline constexpr std::int32_t kNoTransactionTimeout = std::numeric_limits<std::int32_t>::max();

struct Transaction {
  TransactionState state = TransactionState::kEmpty;
  ProducerIdentity producer;
  protocol::ProducerId previous_producer_id = protocol::kNoProducerId;  // before the last record
  // Of a Prepare* state whose epoch is exhausted: the producer continues with this id, from epoch 0.
  protocol::ProducerId next_producer_id = protocol::kNoProducerId;
  // The epoch that a producer may still name when it asks again for an answer that was lost. Not in the log:
  // -1 after loading, and the producer is fenced then.
  std::int16_t last_producer_epoch = -1;
  std::int16_t client_version = 0;  // transaction.version by whose rules it was begun or ended: 0 or 2
  std::int32_t timeout_ms = 0;
  TopicPartitions partitions;
  std::int64_t start_ms = -1;        // wall clock; -1: not begun
  std::int64_t last_update_ms = -1;  // wall clock
  // When it was begun, or the log was loaded, by the clock that does not jump: its timeout counts from here.
  // Not in the log. None while nothing is open.
  std::optional<Instant> open_since;
  protocol::Offset record_offset = protocol::kNoOffset;  // of the record that says all this

  bool is_preparing() const {
    return state == TransactionState::kPrepareCommit || state == TransactionState::kPrepareAbort;
  }
  bool is_open() const { return state == TransactionState::kOngoing || is_preparing(); }
  // More than its timeout has passed since it began, or since this coordinator loaded it.
  bool is_timed_out(Instant now) const;
  // Nothing is open, and nobody has touched it for expiration_ms.
  bool is_expired(std::int64_t now_ms, std::int64_t expiration_ms) const;
  // What the client goes on with when the markers are written.
  ProducerIdentity after_markers() const;

  bool operator==(const Transaction&) const = default;
};

// InitProducerId: `producer` begins anew. `last_epoch`: which epoch may ask again for this answer, -1 none.
Transaction initialised(const Transaction& from, ProducerIdentity producer, std::int16_t last_epoch,
                        std::int32_t timeout_ms, std::int64_t now_ms);
// AddPartitionsToTxn, AddOffsetsToTxn: the first begins a transaction.
Transaction extended(const Transaction& from, const TopicPartitions& added, std::int16_t client_version,
                     std::int64_t now_ms);
// EndTxn. Under version 2 the epoch is bumped, so that nothing late from this transaction can touch the next
// (KIP-890); `next_id` is needed if the epoch is exhausted, and not looked at otherwise.
Transaction prepared(const Transaction& from, bool commit, std::int16_t client_version,
                     protocol::ProducerId next_id, std::int64_t now_ms);
// The coordinator aborts by itself, and bumps the epoch in any version: the producer is fenced.
Transaction fenced(const Transaction& from, std::int16_t transaction_version, protocol::ProducerId next_id,
                   std::int64_t now_ms);
// Every marker is written.
Transaction completed(const Transaction& from, std::int64_t now_ms);

// The rules of version 2 apply: every end bumps the epoch.
inline bool bumps_epoch(std::int16_t client_version) { return client_version >= 2; }

}  // namespace milena::coordinator
