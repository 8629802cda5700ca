// The transaction index of a segment: the aborted transactions whose abort marker lies in it
// (docs/formats/txn_index.md). Few and small, so they are plain vectors in memory.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "storage/log_types.h"

namespace milena::storage {

inline constexpr std::size_t kTxnIndexEntrySize = 34;

std::vector<std::byte> encode_txn_index(std::span<const AbortedTransaction> aborted);

// None when the bytes are not a transaction index: a torn entry, an unknown version, markers out of order or
// below base_offset.
std::optional<std::vector<AbortedTransaction>> decode_txn_index(BytesView bytes,
                                                                protocol::Offset base_offset);

// Adds to `out` the transactions that overlap [from, upper_bound). True when no later segment can hold
// another.
bool collect_aborted(std::span<const AbortedTransaction> index, protocol::Offset from,
                     protocol::Offset upper_bound, std::vector<AbortedTransaction>& out);

}  // namespace milena::storage
