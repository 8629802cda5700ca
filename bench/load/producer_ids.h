// Producer ids, plain and transactional, from the broker.
#pragma once

#include <optional>
#include <string_view>

#include "bench/load/produce_frame.h"
#include "bench/load/wire_client.h"

namespace milena::bench {

// Asks again while the coordinator is not ready; any other error ends the run.
Producer new_producer(WireClient& client, std::optional<std::string_view> transactional_id);

}  // namespace milena::bench
