// Topics as a generator needs them: created and led before it starts, and where their logs begin and end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/wire_client.h"

namespace milena::bench {

// Returns when the topic has `partitions` partitions and all are served. `create`: creates it first, unless
// it is there.
void prepare_topic(WireClient& client, const std::string& topic, int partitions, bool create);

enum class LogEnd { kEarliest, kLatest };
// The offset at that end of each partition.
std::vector<std::int64_t> list_offsets(WireClient& client, const std::string& topic, int partitions,
                                       LogEnd end);

}  // namespace milena::bench
