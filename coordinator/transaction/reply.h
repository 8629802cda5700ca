// What the transaction machine is asked, what it answers, and what it wants done for it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "coordinator/runtime/outcome.h"
#include "coordinator/transaction/transaction.h"
#include "protocol/add_offsets_to_txn.gen.h"
#include "protocol/describe_transactions.gen.h"
#include "protocol/end_txn.gen.h"
#include "protocol/error_code.h"
#include "protocol/init_producer_id.gen.h"
#include "protocol/list_transactions.gen.h"

namespace milena::coordinator {

struct TransactionContext {
  std::int16_t api_version = 0;
};

struct TopicPartition {
  std::string_view topic;
  std::int32_t partition = 0;
};

// Puts partitions on the list of the producer's transaction, and begins it if none is open; or only looks
// whether the ongoing one has them. What AddPartitionsToTxn asks for one transaction, and what the leader of
// a partition asks when it is written to (KIP-890).
struct AddOrVerifyPartitions {
  enum class Mode : std::uint8_t {
    kVerify,
    kAdd,
    kAddByVersion2,  // for a client that follows the rules of transaction.version 2
  };
  std::string_view transactional_id;
  ProducerIdentity producer;
  std::span<const TopicPartition> partitions;
  Mode mode = Mode::kVerify;
};
// One for each of the partitions, in their order.
struct PartitionErrors {
  std::span<ErrorCode> errors;
};

// AddOffsetsToTxn, and the partition of __consumer_offsets that the group belongs to.
struct AddOffsets {
  protocol::AddOffsetsToTxnRequest request;
  protocol::PartitionId offsets_partition;
};

using TransactionReply =
    std::variant<std::monostate, protocol::InitProducerIdResponse, PartitionErrors,
                 protocol::AddOffsetsToTxnResponse, protocol::EndTxnResponse,
                 protocol::DescribeTransactionsResponse, protocol::ListTransactionsResponse>;

// Get a producer id that nobody has had, and hand it to TransactionMachine::producer_id_arrived().
struct TakeProducerId {
  std::uint64_t ticket = 0;
};

// Write the end marker of a transaction to all of its partitions, again and again until each has it, then
// call TransactionMachine::markers_written(). A partition that does not exist any more has it. One that says
// INVALID_PRODUCER_EPOCH or TRANSACTION_COORDINATOR_FENCED has seen a later coordinator: give up then.
struct WriteMarkers {
  std::string transactional_id;
  protocol::Offset decided_at = protocol::kNoOffset;  // of the Prepare* record: which of its transactions
  ProducerIdentity producer;
  bool commit = false;
  std::int32_t coordinator_epoch = -1;
  std::int16_t transaction_version = 0;  // by whose rules partitions check the marker's epoch (KIP-890)
  TopicPartitions partitions;
};

using TransactionErrand = std::variant<TakeProducerId, WriteMarkers>;
using TransactionOutcome = Outcome<TransactionReply, TransactionErrand>;

// An answer to InitProducerId that carries no producer.
protocol::InitProducerIdResponse init_producer_id_error(ErrorCode error);
// The same error for every partition asked for.
PartitionErrors same_error(const AddOrVerifyPartitions& request, ErrorCode error, Arena& memory);

// Turns a reply into what its request gets for `error`.
void set_error(TransactionReply& reply, ErrorCode error);

// The answers to requests that were refused before the machine saw them.
TransactionReply refusal(const protocol::InitProducerIdRequest&, ErrorCode error, Arena& memory);
TransactionReply refusal(const AddOrVerifyPartitions& request, ErrorCode error, Arena& memory);
TransactionReply refusal(const AddOffsets&, ErrorCode error, Arena& memory);
TransactionReply refusal(const protocol::EndTxnRequest&, ErrorCode error, Arena& memory);
TransactionReply refusal(const protocol::DescribeTransactionsRequest& request, ErrorCode error,
                         Arena& memory);
TransactionReply refusal(const protocol::ListTransactionsRequest&, ErrorCode error, Arena& memory);

}  // namespace milena::coordinator
