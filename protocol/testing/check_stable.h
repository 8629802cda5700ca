// What fuzzing demands of every message: bytes that decode must encode to bytes that decode to the same
// again, and decoding takes memory in proportion. Breaking that aborts.
#pragma once

#include <algorithm>

#include "base/assert.h"
#include "protocol/message_table.h"

namespace milena::protocol {

inline void check_stable(const MessageEntry& entry, BytesView bytes, int version) {
  Arena arena;
  BytesView input = bytes;
  const auto once = entry.reencode(input, version, arena);
  // Blocks of the arena double in size, and what was read is written again.
  MILENA_ASSERT(arena.footprint() <= 2 * (kMaxExpansion + 2) * bytes.size() + 4096,
                "decoding took too much memory");
  if (!once) return;
  BytesView again = *once;
  const auto twice = entry.reencode(again, version, arena);
  MILENA_ASSERT(twice.has_value(), "what we wrote we cannot read");
  MILENA_ASSERT(again.empty() && std::ranges::equal(*once, *twice), "encoding is not stable");
}

}  // namespace milena::protocol
