// Producer snapshots: ProducerState as of one offset, in Kafka's format with an addition that Kafka does not
// read (docs/formats/producer_snapshot.md). Kafka keeps only each producer's last batch; the addition keeps
// all five, and the unreplicated transactions, so that a restart remembers exactly what the log says.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "storage/producer_state.h"

namespace milena::storage {

std::vector<std::byte> encode_producer_snapshot(const ProducerState& state);

// None when the bytes are damaged or of another version: use an older snapshot and replay more of the log.
std::optional<ProducerState> decode_producer_snapshot(BytesView bytes);

// Whether it is a whole snapshot of a later version.
bool is_newer_producer_snapshot(BytesView bytes);

}  // namespace milena::storage
