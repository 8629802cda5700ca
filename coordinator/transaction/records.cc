#include "coordinator/transaction/records.h"

#include <algorithm>

#include "coordinator/runtime/record_codec.h"
#include "protocol/transaction_log_record.gen.h"

namespace milena::coordinator {

using protocol::PartitionId;
using protocol::TransactionLogKey;
using protocol::TransactionLogValue;

void append_transaction(TransactionOutcome& out, std::string_view transactional_id,
                        const Transaction& transaction, std::int16_t transaction_version) {
  TransactionLogValue value;
  value.producer_id = transaction.producer.id;
  value.producer_epoch = transaction.producer.epoch;
  value.transaction_timeout_ms = transaction.timeout_ms;
  value.transaction_status = static_cast<std::int8_t>(transaction.state);
  value.transaction_last_update_timestamp_ms = transaction.last_update_ms;
  value.transaction_start_timestamp_ms = transaction.start_ms;
  if (transaction.state != TransactionState::kEmpty) {
    value.transaction_partitions =
        out.scratch().array<TransactionLogValue::PartitionsSchema>(transaction.partitions.size());
    std::size_t t = 0;
    for (const auto& [topic, partitions] : transaction.partitions) {
      auto& entry = (*value.transaction_partitions)[t++];
      entry.topic = topic;
      entry.partition_ids = out.scratch().array<PartitionId>(partitions.size());
      std::ranges::copy(partitions, entry.partition_ids.begin());
    }
  }
  const std::int16_t version = transaction_version >= 1 ? 1 : 0;
  if (version >= 1) {  // the tagged fields
    value.previous_producer_id = transaction.previous_producer_id;
    value.next_producer_id = transaction.next_producer_id;
    value.client_transaction_version = transaction.client_version;
  }
  append_record(out, TransactionLogKey{.transactional_id = transactional_id}, value, version);
}

void append_transaction_tombstone(TransactionOutcome& out, std::string_view transactional_id) {
  append_tombstone(out, TransactionLogKey{.transactional_id = transactional_id});
}

std::optional<std::string_view> read_transactional_id(BytesView key, Arena& arena) {
  if (record_type(key) != TransactionLogKey::kInfo.key) return std::nullopt;
  const auto read = decode_record_key<TransactionLogKey>(key, arena);
  if (!read || read->transactional_id.empty()) return std::nullopt;
  return read->transactional_id;
}

std::optional<Transaction> read_transaction(BytesView bytes, Arena& arena) {
  const auto value = decode_record_value<TransactionLogValue>(bytes, arena);
  if (!value) return std::nullopt;
  const auto last_state = static_cast<std::int8_t>(TransactionState::kCompleteAbort);
  const bool has_state = value->transaction_status >= 0 && value->transaction_status <= last_state;
  if (!has_state || value->producer_id < protocol::ProducerId{0} || value->producer_epoch < 0) {
    return std::nullopt;
  }
  Transaction transaction;
  transaction.state = static_cast<TransactionState>(value->transaction_status);
  transaction.producer = {value->producer_id, value->producer_epoch};
  transaction.previous_producer_id = value->previous_producer_id;
  transaction.next_producer_id = std::max(value->next_producer_id, protocol::kNoProducerId);
  transaction.client_version = value->client_transaction_version;
  transaction.timeout_ms = value->transaction_timeout_ms;
  transaction.start_ms = value->transaction_start_timestamp_ms;
  transaction.last_update_ms = value->transaction_last_update_timestamp_ms;
  if (transaction.state != TransactionState::kEmpty && value->transaction_partitions) {
    for (const auto& topic : *value->transaction_partitions) {
      for (const PartitionId partition : topic.partition_ids) {
        insert_partition(transaction.partitions, topic.topic, partition.value);
      }
    }
  }
  return transaction;
}

}  // namespace milena::coordinator
