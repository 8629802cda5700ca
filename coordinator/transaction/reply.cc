#include "coordinator/transaction/reply.h"

#include <algorithm>

namespace milena::coordinator {

using protocol::AddOffsetsToTxnResponse;
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
  void operator()(PartitionErrors& r) const { std::ranges::fill(r.errors, error); }
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

PartitionErrors same_error(const AddOrVerifyPartitions& request, ErrorCode error, Arena& memory) {
  const auto errors = memory.array<ErrorCode>(request.partitions.size());
  std::ranges::fill(errors, error);
  return {errors};
}

void set_error(TransactionReply& reply, ErrorCode error) { std::visit(ErrorSetter{error}, reply); }

TransactionReply refusal(const protocol::InitProducerIdRequest&, ErrorCode error, Arena&) {
  return init_producer_id_error(error);
}
TransactionReply refusal(const AddOrVerifyPartitions& request, ErrorCode error, Arena& memory) {
  return same_error(request, error, memory);
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
