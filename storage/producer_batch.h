// From record batches to what ProducerState wants to know of them.
#pragma once

#include <optional>

#include "protocol/record_batch.h"
#include "storage/producer_state.h"

namespace milena::storage {

// The batch as it stands in the log. For a control batch, `marker` is still to be filled by read_marker.
ProducerBatch producer_batch_of(const protocol::RecordBatchHeader& batch);

// The transaction marker in a control batch; none for other control records, and for an empty batch.
std::optional<EndTxnMarker> read_marker(const protocol::RecordBatchView& batch);

}  // namespace milena::storage
