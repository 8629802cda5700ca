// BatchScanner: walks the batches of a segment file from one position to another.
//
// A local of whoever walks; reads in large pieces, so that a whole segment costs few calls and a look-up
// costs one. next() checks what makes a walk safe: whole batches, offsets that increase. Checksums are asked
// for.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/fs.h"
#include "protocol/record_batch.h"

namespace milena::storage {

class BatchScanner {
 public:
  static constexpr std::size_t kLookupBytes = 4096;  // for a few headers
  // For every byte: large enough to make the calls few, small enough to stay in a core's cache from the copy
  // to the checksum.
  static constexpr std::size_t kWalkBytes = 128 << 10;

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

  BatchScanner(const BatchScanner&) = delete;
  BatchScanner& operator=(const BatchScanner&) = delete;

  IoResult<Step> next();

  // Valid until the next next().
  const protocol::RecordBatchHeader& header() const { return *header_; }
  // Of the batch that header() belongs to; after kEnd or kBroken, where the walk stopped.
  std::uint64_t position() const { return position_; }
  std::uint64_t next_position() const { return next_position_; }

  // Whether the checksum of the batch is right; reads all of it, piece by piece, and no byte twice.
  IoResult<bool> crc_matches();
  // The whole batch; none when the file ends inside it. Memory for all of it: ask only for what is needed.
  // Valid until the next call of any function that reads.
  IoResult<std::optional<protocol::RecordBatchView>> batch();

 private:
  void make_room(std::size_t size);
  // `size` bytes at `position`, or fewer where the walk or the file ends.
  IoResult<BytesView> bytes_at(std::uint64_t position, std::size_t size);
  // From `position` to `end`, or a part of it: what is in memory, or else what fits.
  IoResult<BytesView> some_bytes_at(std::uint64_t position, std::uint64_t end);

  const File& file_;
  std::uint64_t position_;
  std::uint64_t next_position_;
  std::uint64_t end_;
  std::array<std::byte, protocol::kBatchHeaderBytes> head_;
  std::optional<protocol::RecordBatchHeader> header_;  // a view of head_
  protocol::Offset last_offset_ = -1;

  std::unique_ptr<std::byte[]> memory_;
  MutableBytes buffer_;  // in memory_, or the caller's
  std::uint64_t buffered_from_ = 0;
  std::size_t buffered_ = 0;
};

}  // namespace milena::storage
