// Feeds streams to the decompressors. Byte 0 chooses the codec, byte 1 the size of the pieces that are read;
// the rest is the stream.
//
// Reading in pieces and reading at once must agree, stay within the cap, and survive compression and back.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "protocol/compression.h"
#include "protocol/error_code.h"

namespace {

using namespace milena;
using namespace milena::protocol;

DecompressionLimits fuzz_limits() {
  DecompressionLimits limits;
  limits.ratio_free_bytes = 4 << 20;
  limits.zstd_window_log = 25;
  return limits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto type = static_cast<CompressionType>(data[0] % 8);
  const std::size_t piece_bytes = 1 + std::size_t{data[1]} * data[1];
  const BytesView input(reinterpret_cast<const std::byte*>(data) + 2, size - 2);
  const DecompressionLimits limits = fuzz_limits();

  Decompressor decompressor;
  std::vector<std::byte> whole;
  const Status at_once = decompress(decompressor, type, input, limits, whole);
  MILENA_ASSERT(!at_once || whole.size() <= limits.output_cap(input.size()), "the cap holds");

  std::vector<std::byte> pieces;
  Status status = decompressor.begin(type, input, limits);
  MILENA_ASSERT(!at_once || status, "a sound stream begins");
  std::vector<std::byte> piece(std::max<std::size_t>(piece_bytes, whole.size() / 1000));
  for (bool ended = false; status && !ended;) {
    const auto n = decompressor.read(piece);
    if (!n) {
      status = std::unexpected(n.error());
    } else {
      pieces.insert(pieces.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*n));
      ended = *n < piece.size();
    }
  }
  // zstd takes an empty compressed block, which its format forbids, when it reads in pieces, and only then.
  MILENA_ASSERT(status.has_value() == at_once.has_value() || type == CompressionType::kZstd,
                "both ways of reading come to the same verdict");
  if (!status || !at_once) return 0;
  MILENA_ASSERT(pieces == whole, "both ways of reading yield the same bytes");

  Compressor compressor;
  std::vector<std::byte> packed;
  compressor.begin(type, compression_levels(type).standard, packed);
  compressor.finish(whole);
  std::vector<std::byte> back;
  const bool returned = decompress(decompressor, type, packed, {}, back).has_value();
  MILENA_ASSERT(returned && back == whole, "what is compressed unfolds to the same bytes");
  return 0;
}
