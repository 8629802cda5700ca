// Batches as lines of text, to compare with Apache Kafka's own classes (compat-tests/batches).
//
// TEXT is what a batch says; RULES, HEX and VERDICT are described in compat-tests/batches, Main.java and
// Judge.java.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "protocol/record_batch.h"

namespace milena::protocol::testing {

// The TEXT of a batch; "unreadable: why" if its records cannot be read.
std::string batch_text(const RecordBatchView& batch);

// A sound batch of any kind that clients or the broker write.
std::vector<std::byte> random_batch(Rng& rng);

// `RULES HEX` of a produce payload in which something is probably wrong.
std::string random_case(Rng& rng);

// Takes `RULES HEX VERDICT`, the verdict being Kafka's. Empty if ours is the same, or differs in a way that
// docs/formats/record_batch.md lists.
std::string disagreement(std::string_view line);

}  // namespace milena::protocol::testing
