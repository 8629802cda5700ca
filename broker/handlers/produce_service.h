// ProduceService: a Produce request from its arrival to its answer: transaction check, append, and the wait
// for the high watermark with acks=-1.
//
// Thread-safe; a request stays on its loop. A request that neither asks a coordinator nor waits allocates
// nothing.
#pragma once

#include <atomic>
#include <span>

#include "broker/handlers/per_loop.h"
#include "broker/handlers/produce.h"
#include "broker/handlers/transaction_check.h"

namespace milena::broker {

class ProduceService {
 public:
  ProduceService(PartitionFinder& partitions, TransactionCoordinator& transactions,
                 const std::atomic<bool>& verifies_transactions, TransactionCheck::Options check,
                 std::span<Loop* const> loops)
      : check_(partitions, transactions, verifies_transactions, check),
        handler_(partitions),
        codecs_(loops) {}

  void handle(Call& call, const protocol::ProduceRequest& request, Responder responder);

 private:
  void append(Call& call, const protocol::ProduceRequest& request, const ProduceHandler::Verdicts& verdicts,
              Responder responder);

  TransactionCheck check_;
  ProduceHandler handler_;
  PerLoop<protocol::Codecs> codecs_;
};

}  // namespace milena::broker
