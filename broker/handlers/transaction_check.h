// TransactionCheck: before a batch opens a transaction on a partition, the transaction's coordinator has that
// partition on its list (KIP-890), so that no transaction is left open that nobody will end.
//
// - Clients of the new rules (Produce 12 and up) never announce their partitions: they are added here.
// - Of older clients it is verified that they did, unless transaction.partition.verification.enable is off.
// - A partition where the producer's transaction is open already is not asked about again.
// Thread-safe; each check lives on its request's loop.
#pragma once

#include <atomic>
#include <functional>

#include "broker/coordinators/transaction_coordinator.h"
#include "broker/handlers/produce.h"

namespace milena::broker {

class TransactionCheck {
 public:
  // What comes next, on the request's loop.
  using Then = std::move_only_function<void(ProduceHandler::Verdicts, Responder)>;

  struct Options {
    Instant backoff{20};    // add.partitions.to.txn.retry.backoff.ms
    Instant patience{100};  // add.partitions.to.txn.retry.backoff.max.ms
  };

  // `verify` is transaction.partition.verification.enable, which may change at any time.
  TransactionCheck(PartitionFinder& partitions, TransactionCoordinator& transactions,
                   const std::atomic<bool>& verify, Options options)
      : partitions_(partitions), transactions_(transactions), verify_(verify), options_(options) {}

  // Whether the request brings batches of a transaction that a coordinator may have to be asked about.
  bool has_questions(const Call& call, const protocol::ProduceRequest& request) const;
  // Calls `then` at once if the answer is at hand; otherwise when it is, and the connection's next requests
  // wait, because their sequence numbers follow this one's.
  void ask(Call& call, const protocol::ProduceRequest& request, Responder responder, Then then);

 private:
  class Attempt;

  PartitionFinder& partitions_;
  TransactionCoordinator& transactions_;
  const std::atomic<bool>& verify_;
  const Options options_;
};

}  // namespace milena::broker
