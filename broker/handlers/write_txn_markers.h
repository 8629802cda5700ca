// WriteTxnMarkers, versions 1-2: the transaction coordinator of another broker ends transactions on
// partitions that this one leads. Each partition is answered for itself, when its marker is committed.
#pragma once

#include "broker/coordinators/marker_writer.h"
#include "broker/handlers/call.h"
#include "protocol/write_txn_markers.gen.h"

namespace milena::broker {

class WriteTxnMarkersHandler {
 public:
  explicit WriteTxnMarkersHandler(MarkerWriter& writer) : writer_(writer) {}

  void handle(Call& call, const protocol::WriteTxnMarkersRequest& request, Responder responder);

 private:
  MarkerWriter& writer_;
};

}  // namespace milena::broker
