// InitProducerId, versions 0-5: a producer id for an idempotent producer (KIP-98).
//
// - Without a transactional id every request gets a new id with epoch 0, whatever id it brings along
// (KIP-360). An id
//   without an epoch, or the reverse, is INVALID_REQUEST.
// - An empty transactional id is INVALID_REQUEST. With one the transaction coordinator would have to be
// asked; there is
//   none yet: COORDINATOR_NOT_AVAILABLE.
#pragma once

#include "broker/handlers/call.h"
#include "broker/handlers/producer_ids.h"
#include "protocol/init_producer_id.gen.h"

namespace milena::broker {

class InitProducerIdHandler {
 public:
  explicit InitProducerIdHandler(ProducerIds& ids) : ids_(ids) {}
  void handle(Call& call, const protocol::InitProducerIdRequest& request, Responder responder);

 private:
  ProducerIds& ids_;
};

}  // namespace milena::broker
