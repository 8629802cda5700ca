// OffsetIndex: where in a segment file the batch with some offset begins. Sparse: one entry about every
// index.interval.bytes, holding the last offset of a batch and the batch's position
// (docs/formats/offset_index.md).
//
// Owned by a Segment. Offsets and positions strictly increase.
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/types.h"
#include "storage/index_bytes.h"

namespace milena::storage {

class OffsetIndex {
 public:
  static constexpr std::size_t kEntrySize = 8;
  struct Entry {
    protocol::Offset offset;  // last offset of the batch at `position`
    std::uint32_t position = 0;
  };

  explicit OffsetIndex(protocol::Offset base_offset) : base_offset_(base_offset) {}
  OffsetIndex(protocol::Offset base_offset, IndexBytes<kEntrySize> bytes)
      : base_offset_(base_offset), bytes_(std::move(bytes)) {}

  std::size_t entries() const { return bytes_.entries(); }
  BytesView bytes() const { return bytes_.bytes(); }
  Entry entry(std::size_t i) const;

  // The last entry at or below `offset`; {base offset, 0} when there is none: scan from there.
  Entry lookup(protocol::Offset offset) const;
  // The first entry at or beyond `position`.
  std::optional<Entry> at_or_beyond(std::uint64_t position) const;

  void append(protocol::Offset offset, std::uint32_t position);
  // Drops entries at or above `offset`.
  void truncate_to(protocol::Offset offset);

  // Whether the bytes are an index of a segment of `log_size` bytes at all: whole entries, strictly
  // increasing, inside the segment. For bytes that come from a file.
  bool is_sound(std::uint64_t log_size) const;

 private:
  protocol::Offset base_offset_;
  IndexBytes<kEntrySize> bytes_;
};

}  // namespace milena::storage
