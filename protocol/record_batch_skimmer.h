// RecordSkimmer: walks the records of a compressed batch and holds none of them.
//
// Reads a Decompressor through a fixed scratch buffer. A record that fits the buffer is read from it; of a
// larger one the key, value and headers stream past. Used by validation and by nothing that needs keys or
// values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/compression.h"

namespace milena::protocol {

// What validation wants to know of a record.
struct RecordFacts {
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  bool has_key = false;
};

class RecordSkimmer {
 public:
  static constexpr std::size_t kScratchBytes = 128 * 1024;  // two lz4 blocks: they unfold straight into it

  // `decompressor` stands at the start of the batch's records; `scratch` has kScratchBytes.
  RecordSkimmer(Decompressor& decompressor, MutableBytes scratch)
      : decompressor_(decompressor), scratch_(scratch) {}

  // kInvalidRecord: no well-formed record stands here. Otherwise the errors of Decompressor::read.
  Result<RecordFacts> next();
  // Whether the stream ends here, and is sound up to its end.
  Result<bool> at_end();

 private:
  class StreamSource;

  // Makes `wanted` bytes available, or all that are left. wanted <= kScratchBytes.
  Status fill(std::size_t wanted);
  BytesView available() const { return BytesView(scratch_).subspan(at_, end_ - at_); }

  Decompressor& decompressor_;
  MutableBytes scratch_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  bool ended_ = false;  // the decompressor has nothing more
};

}  // namespace milena::protocol
