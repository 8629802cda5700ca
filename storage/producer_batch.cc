#include "storage/producer_batch.h"

#include "protocol/control_record.h"

namespace milena::storage {

ProducerBatch producer_batch_of(const protocol::RecordBatchHeader& batch) {
  return {.producer_id = batch.producer_id(),
          .producer_epoch = batch.producer_epoch(),
          .base_sequence = batch.base_sequence(),
          .last_sequence = batch.last_sequence(),
          .base_offset = batch.base_offset(),
          .last_offset = batch.last_offset(),
          .max_timestamp = batch.max_timestamp(),
          .transactional = batch.is_transactional(),
          .control = batch.is_control(),
          .marker = std::nullopt};
}

std::optional<EndTxnMarker> read_marker(const protocol::RecordBatchView& batch) {
  using protocol::ControlRecordType;
  if (!batch.is_control() || batch.compression() != protocol::CompressionType::kNone) return std::nullopt;
  protocol::RecordIterator records(batch.payload(), batch.record_count());
  const auto record = records.next();
  if (!record || !*record) return std::nullopt;
  const auto type = protocol::control_record_type(**record);
  if (!type || (*type != ControlRecordType::kAbort && *type != ControlRecordType::kCommit))
    return std::nullopt;
  const auto epoch = protocol::end_txn_marker_coordinator_epoch(**record);
  if (!epoch) return std::nullopt;
  return EndTxnMarker{.commit = *type == ControlRecordType::kCommit, .coordinator_epoch = *epoch};
}

}  // namespace milena::storage
