// TransactionConfig: what operators may set about transactions, and the finalized transaction.version. Names,
// defaults and units are Kafka's.
//
// Immutable while a machine uses it; the broker replaces the whole on a change
// (TransactionMachine::configure).
#pragma once

#include <cstdint>

namespace milena::coordinator {

struct TransactionConfig {
  std::int32_t transaction_max_timeout_ms = 900'000;
  std::int64_t transactional_id_expiration_ms = std::int64_t{7} * 24 * 60 * 60 * 1000;
  std::int64_t abort_timed_out_transaction_cleanup_interval_ms = 10'000;
  std::int64_t remove_expired_transaction_cleanup_interval_ms = 3'600'000;
  bool two_phase_commit_enable = false;
  // The finalized feature level. 1: records are flexible (KIP-890). 2: every EndTxn bumps the epoch.
  std::int16_t transaction_version = 2;
};

}  // namespace milena::coordinator
