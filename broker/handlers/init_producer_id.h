// InitProducerId, versions 0-5: a producer id for an idempotent producer (KIP-98).
//
// - Without a transactional id every request gets a new id with epoch 0, whatever id it brings along
// (KIP-360). An id
//   without an epoch, or the reverse, is INVALID_REQUEST.
// - An empty transactional id is INVALID_REQUEST; with any other the transaction coordinator is asked.
#pragma once

#include "broker/coordinators/producer_ids.h"
#include "broker/handlers/call.h"
#include "broker/handlers/transactions.h"
#include "protocol/init_producer_id.gen.h"

namespace milena::broker {

class InitProducerIdHandler {
 public:
  InitProducerIdHandler(ProducerIds& ids, TransactionHandlers& transactions)
      : ids_(ids), transactions_(transactions) {}
  void handle(Call& call, const protocol::InitProducerIdRequest& request, Responder responder);

 private:
  ProducerIds& ids_;
  TransactionHandlers& transactions_;
};

}  // namespace milena::broker
