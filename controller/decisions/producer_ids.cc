#include "controller/decisions/producer_ids.h"

#include <algorithm>
#include <limits>

namespace milena::controller {
namespace {

constexpr std::int32_t kBlockSize = 1'000;

}  // namespace

Outcome<protocol::AllocateProducerIdsResponse> allocate_producer_ids(
    const DecisionContext& context, const protocol::AllocateProducerIdsRequest& request) {
  const BrokerRegistration* broker = context.image.broker(request.broker_id);
  if (broker == nullptr || broker->epoch != request.broker_epoch) {
    return {.response = {.error_code = ErrorCode::kStaleBrokerEpoch}};
  }
  const ProducerId first = std::max(context.image.next_producer_id, ProducerId(0));
  if (first.value > std::numeric_limits<std::int64_t>::max() - kBlockSize) {
    return {.response = {.error_code = ErrorCode::kUnknownServerError}};
  }
  return {.response = {.producer_id_start = first, .producer_id_len = kBlockSize},
          .records = {{.body = protocol::ProducerIdsRecord{.broker_id = request.broker_id,
                                                           .broker_epoch = request.broker_epoch,
                                                           .next_producer_id = first + kBlockSize}}}};
}

}  // namespace milena::controller
