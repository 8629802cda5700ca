#include "bench/load/producer_ids.h"

#include <array>

#include "bench/load/retry.h"
#include "protocol/error_code.h"
#include "protocol/find_coordinator.gen.h"
#include "protocol/init_producer_id.gen.h"

namespace milena::bench {
namespace {

// The first question for a coordinator makes the broker create the log of transactions.
void await_coordinator(WireClient& client, std::string_view transactional_id) {
  constexpr std::int8_t kTransaction = 1;
  std::array<std::string_view, 1> keys{transactional_id};
  protocol::FindCoordinatorRequest request;
  request.key_type = kTransaction;
  request.coordinator_keys = keys;
  retry_until_ready("no coordinator for transactions", [&] {
    const auto response = client.call<protocol::FindCoordinatorResponse>(request, 4);
    const ErrorCode error = response.coordinators[0].error_code;
    if (is_retriable(error)) return false;
    require_success("FindCoordinator", error);
    return true;
  });
}

}  // namespace

Producer new_producer(WireClient& client, std::optional<std::string_view> transactional_id) {
  if (transactional_id) await_coordinator(client, *transactional_id);
  constexpr std::int32_t kTransactionTimeoutMs = 60'000;
  protocol::InitProducerIdRequest request;
  request.transactional_id = transactional_id;
  request.transaction_timeout_ms = kTransactionTimeoutMs;
  Producer producer;
  retry_until_ready("no coordinator gives producer ids", [&] {
    const auto response = client.call<protocol::InitProducerIdResponse>(request, 4);
    if (is_retriable(response.error_code)) return false;
    require_success("InitProducerId", response.error_code);
    producer = {response.producer_id.value, response.producer_epoch};
    return true;
  });
  return producer;
}

}  // namespace milena::bench
