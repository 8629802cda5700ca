// BatchScanner: walks the batches of a segment file from one position to another.
//
// A local of whoever walks; reads in large pieces, so that a whole segment costs few calls and a look-up
// costs one. next() checks what makes a walk safe: whole batches, offsets that increase. Checksums are asked
// for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/fs.h"
#include "protocol/record_batch.h"

namespace milena::storage {

class BatchScanner {
 public:
  static constexpr std::size_t kLookupBytes = 4096;   // for a few headers
  static constexpr std::size_t kWalkBytes = 1 << 20;  // for every byte

  enum class Step {
    kBatch,   // header() is the next one
    kEnd,     // nothing left before `end`
    kBroken,  // no whole batch begins at position(), or its offsets go back
  };

  // `position` is where a batch begins, `end` where the walk stops (the segment's size, usually). Reads at
  // least `read_bytes` at a time.
  BatchScanner(const File& file, std::uint64_t position, std::uint64_t end, std::size_t read_bytes);
  // Reads into `buffer`, which has room for a header at least; memory of its own only for what is larger.
  BatchScanner(const File& file, std::uint64_t position, std::uint64_t end, MutableBytes buffer);

  IoResult<Step> next();

  // Valid until the next call of any function that reads.
  const protocol::RecordBatchHeader& header() const { return *header_; }
  // Of the batch that header() belongs to; after kEnd or kBroken, where the walk stopped.
  std::uint64_t position() const { return position_; }
  std::uint64_t next_position() const { return next_position_; }

  // Whether the checksum of the batch is right; reads all of it, piece by piece.
  IoResult<bool> crc_matches();
  // The whole batch; none when the file ends inside it. Memory for all of it: ask only for what is needed.
  IoResult<std::optional<protocol::RecordBatchView>> batch();

 private:
  void make_room(std::size_t size);
  // `size` bytes at `position`, or fewer where the walk or the file ends.
  IoResult<BytesView> bytes_at(std::uint64_t position, std::size_t size);

  const File& file_;
  std::uint64_t position_;
  std::uint64_t next_position_;
  std::uint64_t end_;
  std::optional<protocol::RecordBatchHeader> header_;
  protocol::Offset last_offset_ = -1;

  std::unique_ptr<std::byte[]> memory_;
  MutableBytes buffer_;  // in memory_, or the caller's
  std::uint64_t buffered_from_ = 0;
  std::size_t buffered_ = 0;
};

}  // namespace milena::storage
