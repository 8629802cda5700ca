#include "bench/load/producer_ids.h"

#include "bench/load/coordinators.h"
#include "bench/load/retry.h"
#include "protocol/init_producer_id.gen.h"

namespace milena::bench {

Producer new_producer(WireClient& client, std::optional<std::string_view> transactional_id) {
  if (transactional_id) await_coordinator(client, CoordinatorType::kTransaction, *transactional_id);
  constexpr std::int32_t kTransactionTimeoutMs = 60'000;
  protocol::InitProducerIdRequest request;
  request.transactional_id = transactional_id;
  request.transaction_timeout_ms = kTransactionTimeoutMs;
  Producer producer;
  retry_until_ready("no coordinator gives producer ids", [&] {
    const auto response = client.call<protocol::InitProducerIdResponse>(request, 4);
    if (!has_succeeded("InitProducerId", response.error_code)) return false;
    producer = {response.producer_id.value, response.producer_epoch};
    return true;
  });
  return producer;
}

}  // namespace milena::bench
