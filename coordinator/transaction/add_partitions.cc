// What a transaction writes to is in the log before it is written to.
#include <utility>

#include "coordinator/transaction/records.h"
#include "coordinator/transaction/transaction_machine.h"

namespace milena::coordinator {

using protocol::AddOffsetsToTxnResponse;

namespace {

constexpr std::string_view kOffsetsTopic = "__consumer_offsets";

// Clients learned PRODUCER_FENCED with version 2.
ErrorCode error_for(ErrorCode error, std::int16_t api_version) {
  const bool is_unknown = error == ErrorCode::kProducerFenced && api_version < 2;
  return is_unknown ? ErrorCode::kInvalidProducerEpoch : error;
}

ErrorCode check_producer(const Transaction& transaction, ProducerIdentity producer) {
  if (transaction.producer.id != producer.id) return ErrorCode::kInvalidProducerIdMapping;
  if (transaction.producer.epoch != producer.epoch) return ErrorCode::kProducerFenced;
  return ErrorCode::kNone;
}

}  // namespace

void TransactionMachine::handle(Now now, ReplyToken token, const TransactionContext&,
                                const AddOrVerifyPartitions& request, TransactionOutcome& out) {
  using Mode = AddOrVerifyPartitions::Mode;
  if (request.mode == Mode::kVerify) {
    out.reply(token, verify(request, out.memory()));
    return;
  }
  TopicPartitions added;
  for (const auto& [topic, partition] : request.partitions) insert_partition(added, topic, partition);
  const ErrorCode error = add(now, request.transactional_id, request.producer, added,
                              client_version(request.mode == Mode::kAddByVersion2), out);
  out.reply(token, same_error(request, error, out.memory()));
}

void TransactionMachine::handle(Now now, ReplyToken token, const TransactionContext& context,
                                const AddOffsets& request, TransactionOutcome& out) {
  const auto& asked = request.request;
  TopicPartitions added;
  insert_partition(added, kOffsetsTopic, request.offsets_partition.value);
  // Clients of version 2 do not send this: TxnOffsetCommit adds the partition.
  const ErrorCode error =
      add(now, asked.transactional_id, {asked.producer_id, asked.producer_epoch}, added, 0, out);
  out.reply(token, AddOffsetsToTxnResponse{.error_code = error_for(error, context.api_version)});
}

ErrorCode TransactionMachine::add(Now now, std::string_view id, ProducerIdentity producer,
                                  const TopicPartitions& added, std::int16_t client_version,
                                  TransactionOutcome& out) {
  if (id.empty()) return ErrorCode::kInvalidRequest;
  const Transaction* transaction = find(id);
  if (transaction == nullptr) return ErrorCode::kInvalidProducerIdMapping;
  // Before the producer is looked at: it may already know of the id that it is going to have.
  if (transaction->is_preparing()) return ErrorCode::kConcurrentTransactions;
  if (const ErrorCode error = check_producer(*transaction, producer); error != ErrorCode::kNone) return error;
  const bool is_open = transaction->state == TransactionState::kOngoing;
  if (!is_open || !contains_all(transaction->partitions, added)) {
    transit(now, id, extended(*transaction, added, client_version, now.wall_ms), out);
  }
  return ErrorCode::kNone;
}

// Is each partition part of the transaction, so that its leader may append to it (KIP-890)?
PartitionErrors TransactionMachine::verify(const AddOrVerifyPartitions& request, Arena& memory) const {
  const auto refuse_with = [&](ErrorCode error) { return same_error(request, error, memory); };
  if (request.transactional_id.empty()) return refuse_with(ErrorCode::kInvalidRequest);
  const auto at = transactions_.find(request.transactional_id);
  if (at == transactions_.end()) return refuse_with(ErrorCode::kInvalidProducerIdMapping);
  const Transaction& transaction = at->second;
  if (const ErrorCode error = check_producer(transaction, request.producer); error != ErrorCode::kNone) {
    return refuse_with(error);
  }
  if (transaction.is_preparing()) return refuse_with(ErrorCode::kConcurrentTransactions);
  PartitionErrors reply = refuse_with(ErrorCode::kTransactionAbortable);
  for (std::size_t i = 0; i < request.partitions.size(); ++i) {
    const auto& [topic, partition] = request.partitions[i];
    if (contains_partition(transaction.partitions, topic, partition)) reply.errors[i] = ErrorCode::kNone;
  }
  return reply;
}

}  // namespace milena::coordinator
