#include "coordinator/runtime/log_batch.h"

#include "protocol/control_record.h"
#include "protocol/record_batch.h"
#include "protocol/record_batch_records.h"

namespace milena::coordinator {

using protocol::BatchIterator;
using protocol::ControlRecordType;
using protocol::RecordBatchBuilder;
using protocol::RecordBatchView;
using protocol::RecordIterator;

Result<std::size_t> records_that_fit(std::span<const EncodedRecord> records, std::size_t max_bytes,
                                     bool all) {
  std::size_t bytes = protocol::kBatchHeaderBytes;
  std::size_t count = 0;
  for (const EncodedRecord& record : records) {
    bytes += RecordBatchBuilder::record_size_bound(record.key, record.value);
    if (bytes > max_bytes) break;
    ++count;
  }
  if (count == 0 || (all && count < records.size())) {
    return fail(ErrorCode::kMessageTooLarge,
                "a coordinator's records do not fit the internal topic's largest batch");
  }
  return count;
}

std::vector<std::byte> build_log_batch(RecordBatchBuilder& builder, std::span<const EncodedRecord> records,
                                       std::int64_t timestamp_ms,
                                       const std::optional<TransactionalProducer>& producer) {
  protocol::BatchSettings settings;
  if (producer) {
    settings.producer_id = producer->id;
    settings.producer_epoch = producer->epoch;
    settings.transactional = true;
  }
  builder.reset(settings);
  for (const EncodedRecord& record : records) builder.append(timestamp_ms, record.key, record.value);
  return builder.build();
}

namespace {

Status read_batch(const RecordBatchView& batch, RecordIterator records, const LogReadHandlers& handlers) {
  for (;;) {
    MILENA_TRY(const auto record, records.next());
    if (!record) return {};
    if (batch.is_control()) {
      MILENA_TRY(const ControlRecordType type, protocol::control_record_type(*record));
      if (type == ControlRecordType::kCommit || type == ControlRecordType::kAbort) {
        handlers.marker(batch.producer_id(), type == ControlRecordType::kCommit);
      }
    } else if (record->key) {
      const auto producer = batch.is_transactional() ? batch.producer_id() : protocol::kNoProducerId;
      handlers.record({record->offset(batch), producer, *record->key, record->value});
    }
  }
}

}  // namespace

Status read_log_batches(BytesView batches, const LogReadHandlers& handlers, protocol::Offset& end) {
  protocol::Decompressor decompressor;
  std::vector<std::byte> unfolded;
  BatchIterator iterator(batches);
  for (;;) {
    MILENA_TRY(const auto batch, iterator.next());
    if (!batch) return {};
    if (!batch->crc_matches())
      return fail(ErrorCode::kCorruptMessage, "checksum of a coordinator's record batch");
    MILENA_TRY(const auto records, protocol::read_records(*batch, decompressor, unfolded));
    MILENA_CHECK(read_batch(*batch, records, handlers));
    end = batch->last_offset() + 1;
  }
}

ErrorCode client_error_of_append(ErrorCode append_error) {
  switch (append_error) {
    case ErrorCode::kUnknownTopicOrPartition:
    case ErrorCode::kNotEnoughReplicas:
    case ErrorCode::kRequestTimedOut:
      return ErrorCode::kCoordinatorNotAvailable;
    case ErrorCode::kNotLeaderOrFollower:
    case ErrorCode::kKafkaStorageError:
      return ErrorCode::kNotCoordinator;
    case ErrorCode::kMessageTooLarge:
    case ErrorCode::kRecordListTooLarge:
    case ErrorCode::kInvalidFetchSize:
      return ErrorCode::kUnknownServerError;
    default:
      return append_error;
  }
}

}  // namespace milena::coordinator
