// The four codecs of record batches, as streams: Decompressor and Compressor.
//
// One of each per thread; they keep their codec contexts, so that steady work allocates nothing. Not
// thread-safe. What a peer sends is bounded in time and memory: every stream has an output cap, and scratch
// memory does not grow with the output (docs/formats/compression.md has the framing and the bounds of each
// codec). Decompressing may fail with
//   kCorruptMessage                  the bytes are not one whole stream of that codec
//   kUnsupportedCompressionType      codec ids 5-7
//   kMessageTooLarge                 the stream goes on beyond its cap
// Compressing our own bytes cannot fail.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace milena::protocol {

// Bits 0-2 of a batch's attributes.
enum class CompressionType : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

inline constexpr std::size_t kCompressionTypes = 5;

// The name in configuration files ("none", "gzip", ...).
std::string_view compression_name(CompressionType type);
std::optional<CompressionType> compression_by_name(std::string_view name);

// What compression.gzip.level and its siblings accept; Kafka's ranges and defaults. Codecs without levels: 0.
struct CompressionLevels {
  int lowest = 0;
  int highest = 0;
  int standard = 0;
};
CompressionLevels compression_levels(CompressionType type);

// How far a stream may unfold. The ratio bites only where the output is large: a megabyte of equal records
// shrinks several thousand times and is welcome.
struct DecompressionLimits {
  std::uint64_t max_output_bytes = (std::uint64_t{1} << 31) - 1;  // no reader of Kafka's can address more
  std::uint64_t max_ratio = 100;                                  // output : input
  std::uint64_t ratio_free_bytes = std::uint64_t{32} << 20;       // output of this size passes at any ratio
  int zstd_window_log = 27;  // what zstd level 22 writes, and Kafka's own bound; 128 MiB

  std::uint64_t output_cap(std::size_t input_bytes) const;
};

class DecodeStream;
class EncodeStream;

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;

  // Starts on a new stream; one that was begun before is forgotten. `input` outlives the reading.
  Status begin(CompressionType type, BytesView input, const DecompressionLimits& limits = {});

  // Fills `into` and returns its size; less means that the stream ended and that all input was used. After an
  // error only begin() may follow.
  Result<std::size_t> read(MutableBytes into);

 private:
  std::array<std::unique_ptr<DecodeStream>, kCompressionTypes> streams_;  // made on first use
  DecodeStream* current_ = nullptr;
  std::uint64_t output_left_ = 0;
};

class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;

  // Starts a stream whose bytes are appended to `out` as they come, until finish() returns. `level` lies in
  // compression_levels(type).
  void begin(CompressionType type, int level, std::vector<std::byte>& out);
  void write(BytesView bytes);
  // Ends the stream. A stream given whole to finish() also records its size where the codec can.
  void finish(BytesView last = {});

 private:
  std::array<std::unique_ptr<EncodeStream>, kCompressionTypes> streams_;  // made on first use
  EncodeStream* current_ = nullptr;
};

// What one thread needs to look into compressed batches and to compress them.
struct Codecs {
  Decompressor decompressor;
  Compressor compressor;
  std::vector<std::byte> scratch;  // made on first use, of a fixed size
};

// All of `input`, unfolded into `out` (whose content is replaced). For readers that need records in memory.
Status decompress(Decompressor& decompressor, CompressionType type, BytesView input,
                  const DecompressionLimits& limits, std::vector<std::byte>& out);

}  // namespace milena::protocol
