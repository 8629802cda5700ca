// Telling a torn tail from corruption, once recovery has found a place past the recovery point where no
// whole, valid batch begins (R2, docs/formats/segment.md).
//
//   room         nothing but zeros up to the end of the file: where the next records would go (segment.h).
//   torn tail    the batch runs past the end of the file, or nothing valid follows, or what is broken is a
//                sector that was never written: all zeros from the broken batch's start, or the sector's, to
//                the sector's end. A power failure leaves all three. Cut there.
//   corruption   valid batches follow a batch whose bytes were written and are wrong now. Never cut.
#pragma once

#include <cstdint>

#include "base/fs.h"
#include "storage/log_types.h"

namespace milena::storage {

// Whether a valid batch with an offset at or above `min_offset` begins anywhere in [from, end). True also
// when the bytes are so full of near misses that looking on would take too long.
IoResult<bool> holds_valid_batch(const File& file, std::uint64_t from, std::uint64_t end, Offset min_offset);

// Whether every byte in [from, end) is zero.
IoResult<bool> holds_only_zeros(const File& file, std::uint64_t from, std::uint64_t end);

// Whether a sector that overlaps [from, to) was never written.
IoResult<bool> holds_lost_sector(const File& file, std::uint64_t from, std::uint64_t to,
                                 std::uint64_t file_end);

// Whether a whole batch of a later format (magic above 2) stands at `start`, by its length and its checksum:
// this is no torn tail but a log of a newer version.
IoResult<bool> holds_newer_batch(const File& file, std::uint64_t start, std::uint64_t size);

}  // namespace milena::storage
