// TxnOffsetCommit 0-6: offsets that count once the producer's transaction commits (KIP-447).
//
// First the transaction: its coordinator has the group's partition of __consumer_offsets on its list, or, for
// clients of the new rules (version 5), puts it there. Then the group, which checks the member and appends.
#pragma once

#include <atomic>

#include "broker/coordinators/group_coordinator.h"
#include "broker/coordinators/transaction_coordinator.h"
#include "broker/handlers/call.h"
#include "broker/metadata/metadata_source.h"

namespace milena::broker {

class TxnOffsetCommitHandler {
 public:
  TxnOffsetCommitHandler(GroupCoordinator& groups, TransactionCoordinator& transactions,
                         const MetadataSource& metadata, const std::atomic<bool>& verify)
      : groups_(groups), transactions_(transactions), metadata_(metadata), verify_(verify) {}

  void handle(Call& call, const protocol::TxnOffsetCommitRequest& request, Responder responder);

 private:
  GroupCoordinator& groups_;
  TransactionCoordinator& transactions_;
  const MetadataSource& metadata_;
  const std::atomic<bool>& verify_;  // transaction.partition.verification.enable
};

}  // namespace milena::broker
