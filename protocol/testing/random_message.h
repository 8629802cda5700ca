// Random instances of every message, for tests: filled by the same walks that decode and encode them, so a
// new field is covered the moment it stands in a schema.
#pragma once

#include <span>

#include "base/rng.h"
#include "protocol/codec.h"

namespace milena::protocol {

// With kPlain no tagged field is set, so that a flexible message ends with the byte 0 of its empty tag
// section.
enum class Tags { kRandom, kPlain };

// An encoded random instance. Fields that the version lacks keep their defaults.
template <class M>
BytesView random_message(Rng& rng, int version, Tags tags, Arena& arena);

struct RandomMessage {
  MessageInfo info;
  BytesView (*make)(Rng& rng, int version, Tags tags, Arena& arena);
};

// Ascending by name.
std::span<const RandomMessage> random_messages();

}  // namespace milena::protocol
