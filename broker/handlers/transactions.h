// AddPartitionsToTxn 0-5, AddOffsetsToTxn 0-4, EndTxn 0-5, DescribeTransactions 0, ListTransactions 0-2, and
// InitProducerId 0-5 with a transactional id: what producers and administrators ask of the transaction
// coordinator. The transaction machine decides (coordinator/transaction); here requests that name several
// transactional ids are split by shard, and partitions are looked up: if one does not exist, none is added.
#pragma once

#include "broker/coordinators/group_coordinator.h"
#include "broker/coordinators/transaction_coordinator.h"
#include "broker/handlers/call.h"
#include "protocol/add_partitions_to_txn.gen.h"

namespace milena::broker {

class TransactionHandlers {
 public:
  TransactionHandlers(TransactionCoordinator& transactions, const GroupCoordinator& groups,
                      const MetadataSource& metadata)
      : transactions_(transactions), groups_(groups), metadata_(metadata) {}

  // The request has a transactional id, and an id with an epoch or neither.
  void init_producer_id(Call& call, const protocol::InitProducerIdRequest& request, Responder responder);
  void add_partitions(Call& call, const protocol::AddPartitionsToTxnRequest& request, Responder responder);
  void add_offsets(Call& call, const protocol::AddOffsetsToTxnRequest& request, Responder responder);
  void end(Call& call, const protocol::EndTxnRequest& request, Responder responder);
  void describe(Call& call, const protocol::DescribeTransactionsRequest& request, Responder responder);
  void list(Call& call, const protocol::ListTransactionsRequest& request, Responder responder);

 private:
  TransactionCoordinator& transactions_;
  const GroupCoordinator& groups_;
  const MetadataSource& metadata_;
};

}  // namespace milena::broker
