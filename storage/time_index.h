// TimeIndex: how far into a segment no record is younger than some timestamp. An entry (timestamp, offset)
// says: among the batches up to the one that ends at `offset`, `timestamp` is the largest, and that batch was
// the first to have it (docs/formats/time_index.md).
//
// Owned by a Segment. Timestamps and offsets strictly increase. A sealed segment's last entry is its largest
// timestamp.
#pragma once

#include <cstdint>

#include "protocol/types.h"
#include "storage/index_bytes.h"

namespace milena::storage {

class TimeIndex {
 public:
  static constexpr std::size_t kEntrySize = 12;
  struct Entry {
    std::int64_t timestamp = -1;
    protocol::Offset offset;
  };

  explicit TimeIndex(protocol::Offset base_offset) : base_offset_(base_offset) {}
  TimeIndex(protocol::Offset base_offset, IndexBytes<kEntrySize> bytes)
      : base_offset_(base_offset), bytes_(std::move(bytes)) {}

  std::size_t entries() const { return bytes_.entries(); }
  BytesView bytes() const { return bytes_.bytes(); }
  Entry entry(std::size_t i) const;
  // {-1, base offset} when empty.
  Entry last() const;

  // The last entry at or below `timestamp`; {-1, base offset} when there is none.
  Entry lookup(std::int64_t timestamp) const;

  // Does nothing unless `timestamp` is above that of the last entry.
  void append(std::int64_t timestamp, protocol::Offset offset);
  // Drops entries at or above `offset`.
  void truncate_to(protocol::Offset offset);

  // Whether the bytes are a time index at all: whole entries, strictly increasing. For bytes from a file.
  bool is_sound() const;

 private:
  protocol::Offset base_offset_;
  IndexBytes<kEntrySize> bytes_;
};

}  // namespace milena::storage
