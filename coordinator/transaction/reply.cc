#include "coordinator/transaction/reply.h"

namespace milena::coordinator {

using protocol::AddOffsetsToTxnResponse;
using protocol::AddPartitionsToTxnResponse;
using protocol::DescribeTransactionsRequest;
using protocol::DescribeTransactionsResponse;
using protocol::EndTxnResponse;
using protocol::InitProducerIdResponse;
using protocol::ListTransactionsResponse;

namespace {

struct ErrorSetter {
  ErrorCode error;

  void operator()(std::monostate&) const {}
  void operator()(InitProducerIdResponse& r) const { r = init_producer_id_error(error); }
  void operator()(AddPartitionsReply& r) const {
    for (auto& topic : r.topic_results) {
      for (auto& partition : topic.results_by_partition) partition.partition_error_code = error;
    }
  }
  void operator()(AddOffsetsToTxnResponse& r) const { r = {.error_code = error}; }
  void operator()(EndTxnResponse& r) const { r = {.error_code = error}; }
  void operator()(DescribeTransactionsResponse& r) const {
    for (auto& each : r.transaction_states) {
      const std::string_view id = each.transactional_id;
      each = {};
      each.transactional_id = id;
      each.error_code = error;
    }
  }
  void operator()(ListTransactionsResponse& r) const { r = {.error_code = error}; }
};

}  // namespace

InitProducerIdResponse init_producer_id_error(ErrorCode error) {
  InitProducerIdResponse response;
  response.error_code = error;
  response.producer_epoch = -1;
  return response;
}

AddPartitionsReply add_partitions_reply(const AddPartitions& request, ErrorCode error, Arena& memory) {
  AddPartitionsReply reply;
  reply.transactional_id = request.transaction.transactional_id;
  const auto topics = request.transaction.topics;
  reply.topic_results =
      memory.array<AddPartitionsToTxnResponse::AddPartitionsToTxnTopicResult>(topics.size());
  for (std::size_t t = 0; t < topics.size(); ++t) {
    auto& result = reply.topic_results[t];
    result.name = topics[t].name;
    result.results_by_partition = memory.array<AddPartitionsToTxnResponse::AddPartitionsToTxnPartitionResult>(
        topics[t].partitions.size());
    for (std::size_t p = 0; p < topics[t].partitions.size(); ++p) {
      result.results_by_partition[p] = {.partition_index = topics[t].partitions[p],
                                        .partition_error_code = error};
    }
  }
  return reply;
}

void set_error(TransactionReply& reply, ErrorCode error) { std::visit(ErrorSetter{error}, reply); }

TransactionReply refusal(const protocol::InitProducerIdRequest&, ErrorCode error, Arena&) {
  return init_producer_id_error(error);
}
TransactionReply refusal(const AddPartitions& request, ErrorCode error, Arena& memory) {
  return add_partitions_reply(request, error, memory);
}
TransactionReply refusal(const AddOffsets&, ErrorCode error, Arena&) {
  return AddOffsetsToTxnResponse{.error_code = error};
}
TransactionReply refusal(const protocol::EndTxnRequest&, ErrorCode error, Arena&) {
  return EndTxnResponse{.error_code = error};
}
TransactionReply refusal(const DescribeTransactionsRequest& request, ErrorCode error, Arena& memory) {
  DescribeTransactionsResponse response;
  response.transaction_states =
      memory.array<DescribeTransactionsResponse::TransactionState>(request.transactional_ids.size());
  for (std::size_t i = 0; i < request.transactional_ids.size(); ++i) {
    response.transaction_states[i].transactional_id = request.transactional_ids[i];
    response.transaction_states[i].error_code = error;
  }
  return response;
}
TransactionReply refusal(const protocol::ListTransactionsRequest&, ErrorCode error, Arena&) {
  return ListTransactionsResponse{.error_code = error};
}

}  // namespace milena::coordinator
