#include "protocol/compression.h"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <malloc.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "protocol/error_code.h"

namespace milena::protocol {
namespace {

using Bytes = std::vector<std::byte>;

constexpr CompressionType kAll[] = {CompressionType::kNone, CompressionType::kGzip, CompressionType::kSnappy,
                                    CompressionType::kLz4, CompressionType::kZstd};
constexpr CompressionType kReal[] = {CompressionType::kGzip, CompressionType::kSnappy, CompressionType::kLz4,
                                     CompressionType::kZstd};

Bytes to_bytes(std::string_view text) {
  const auto view = as_bytes(text);
  return {view.begin(), view.end()};
}

// Words from a small vocabulary: shrinks about as well as events do.
Bytes prose(std::size_t size, std::uint64_t seed) {
  SeededRng rng(seed);
  std::string text;
  while (text.size() < size) text += "word" + std::to_string(rng.below(300)) + (rng.one_in(9) ? ".\n" : " ");
  text.resize(size);
  return to_bytes(text);
}

Bytes noise(std::size_t size, std::uint64_t seed) {
  SeededRng rng(seed);
  Bytes out(size);
  for (auto& b : out) b = static_cast<std::byte>(rng.next());
  return out;
}

Bytes compressed(CompressionType type, BytesView input, int level) {
  Compressor compressor;
  Bytes out;
  compressor.begin(type, level, out);
  compressor.finish(input);
  return out;
}

Bytes compressed(CompressionType type, BytesView input) {
  return compressed(type, input, compression_levels(type).standard);
}

Result<Bytes> unfolded(CompressionType type, BytesView input, const DecompressionLimits& limits = {}) {
  Decompressor decompressor;
  Bytes out;
  MILENA_CHECK(decompress(decompressor, type, input, limits, out));
  return out;
}

ErrorCode error_of(CompressionType type, BytesView input, const DecompressionLimits& limits = {}) {
  const auto result = unfolded(type, input, limits);
  return result ? ErrorCode::kNone : result.error().code;
}

TEST(Compression, RoundTripsEverySizeAndKindOfContent) {
  Decompressor decompressor;
  Compressor compressor;
  for (const auto type : kAll) {
    for (const std::size_t size :
         {0u, 1u, 7u, 100u, 32767u, 32768u, 32769u, 65536u, 65537u, 200000u, 1500000u}) {
      for (const Bytes& input : {prose(size, size), noise(size, size), Bytes(size)}) {
        Bytes packed;
        compressor.begin(type, compression_levels(type).standard, packed);
        compressor.finish(input);
        Bytes out;
        const auto status = decompress(decompressor, type, packed, {}, out);
        ASSERT_TRUE(status) << compression_name(type) << size << status.error().why;
        ASSERT_EQ(out, input) << compression_name(type) << size;
      }
    }
  }
}

TEST(Compression, StreamsInUnevenPiecesBothWays) {
  const Bytes input = prose(700000, 3);
  for (const auto type : kAll) {
    SeededRng rng(4);
    Compressor compressor;
    Bytes packed;
    compressor.begin(type, compression_levels(type).standard, packed);
    for (BytesView rest = input; !rest.empty();) {
      const auto n = std::min<std::size_t>(rest.size(), rng.below(90000));
      compressor.write(rest.first(n));
      rest = rest.subspan(n);
    }
    compressor.finish();

    Decompressor decompressor;
    ASSERT_TRUE(decompressor.begin(type, packed));
    Bytes out;
    for (bool ended = false; !ended;) {
      Bytes piece(1 + rng.below(50000));
      const auto n = decompressor.read(piece);
      ASSERT_TRUE(n) << n.error().why;
      ended = *n < piece.size();
      out.insert(out.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(*n));
    }
    EXPECT_EQ(out, input) << compression_name(type);
    Bytes more(10);
    EXPECT_EQ(decompressor.read(more).value(), 0u) << "stays at its end";
  }
}

TEST(Compression, EveryLevelThatKafkaAcceptsCompresses) {
  const Bytes input = prose(5000, 5);
  for (const auto type : kReal) {
    const auto levels = compression_levels(type);
    for (int level = std::max(levels.lowest, -7); level <= levels.highest; ++level) {
      EXPECT_EQ(unfolded(type, compressed(type, input, level)).value(), input)
          << compression_name(type) << level;
    }
  }
  EXPECT_LT(compressed(CompressionType::kGzip, input, 9).size(),
            compressed(CompressionType::kGzip, input, 1).size());
  EXPECT_LT(compressed(CompressionType::kLz4, input, 12).size(),
            compressed(CompressionType::kLz4, input, 9).size())
      << "9 is Kafka's name for the fast mode";
}

TEST(Compression, NamesAreThoseOfTheConfiguration) {
  for (const auto type : kAll) EXPECT_EQ(compression_by_name(compression_name(type)), type);
  EXPECT_EQ(compression_by_name("zstd"), CompressionType::kZstd);
  EXPECT_EQ(compression_by_name("ZSTD"), std::nullopt);
  EXPECT_EQ(compression_by_name("producer"), std::nullopt) << "not a codec";
}

TEST(Compression, UnknownCodecsAreUnsupported) {
  for (int id = 5; id < 8; ++id) {
    // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): a batch's attributes say what they like
    const auto codec = static_cast<CompressionType>(id);
    EXPECT_EQ(error_of(codec, prose(100, 1)), ErrorCode::kUnsupportedCompressionType);
  }
}

TEST(Compression, EveryTruncationIsCorrupt) {
  const Bytes input = prose(3000, 6);
  for (const auto type : kReal) {
    const Bytes packed = compressed(type, input);
    for (std::size_t n = 0; n < packed.size(); ++n) {
      const bool header_only = type == CompressionType::kSnappy && n == 16;  // a framed stream without chunks
      if (header_only) continue;
      EXPECT_EQ(error_of(type, BytesView(packed).first(n)), ErrorCode::kCorruptMessage)
          << compression_name(type) << " cut at " << n;
    }
  }
}

TEST(Compression, TrailingBytesAreCorrupt) {
  const Bytes input = prose(3000, 7);
  for (const auto type : kReal) {
    for (const std::size_t extra : {1u, 3u, 4u, 40u}) {
      Bytes packed = compressed(type, input);
      packed.resize(packed.size() + extra, std::byte{0x5a});
      EXPECT_EQ(error_of(type, packed), ErrorCode::kCorruptMessage) << compression_name(type) << extra;
    }
  }
}

TEST(Compression, AByteFlipNeverYieldsMoreThanTheCapAndHarmsNoContext) {
  const Bytes input = prose(2000, 8);
  for (const auto type : kReal) {
    const Bytes packed = compressed(type, input);
    Decompressor decompressor;
    for (std::size_t at = 0; at < packed.size(); ++at) {
      Bytes flipped = packed;
      flipped[at] ^= std::byte{0x55};
      Bytes out;
      DecompressionLimits limits;
      limits.ratio_free_bytes = 64 * 1024;
      const auto status = decompress(decompressor, type, flipped, limits, out);
      if (status) {
        EXPECT_LE(out.size(), limits.output_cap(packed.size()));
      }
    }
    Bytes out;  // the contexts survive what they were fed
    ASSERT_TRUE(decompress(decompressor, type, packed, {}, out));
    EXPECT_EQ(out, input);
  }
}

TEST(Compression, AMegabyteOfZerosPassesAndABombDoesNot) {
  const Bytes zeros(1 << 20);
  for (const auto type : kReal) {
    EXPECT_EQ(unfolded(type, compressed(type, zeros)).value().size(), zeros.size()) << compression_name(type);
  }
  for (const auto type : {CompressionType::kGzip, CompressionType::kZstd}) {
    // 64 MiB out of a few kB: more than the free output, at a ratio of more than 100.
    Compressor compressor;
    Bytes packed;
    compressor.begin(type, compression_levels(type).standard, packed);
    for (int i = 0; i < 64; ++i) compressor.write(zeros);
    compressor.finish();
    Decompressor decompressor;
    ASSERT_TRUE(decompressor.begin(type, packed));
    Bytes scratch(64 * 1024);
    std::uint64_t total = 0;
    ErrorCode code = ErrorCode::kNone;
    while (code == ErrorCode::kNone) {
      const auto n = decompressor.read(scratch);
      if (!n) code = n.error().code;
      total += n.value_or(0);
      ASSERT_TRUE(!n || *n == scratch.size()) << "the bomb went off";
    }
    EXPECT_EQ(code, ErrorCode::kMessageTooLarge);
    EXPECT_LE(total, DecompressionLimits{}.ratio_free_bytes);
  }
}

std::size_t heap_in_use() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST(Compression, ReadingAStreamHoldsScratchAndNotTheOutput) {
  const Bytes zeros(1 << 20);
  for (const auto type : kReal) {
    Compressor compressor;
    Bytes packed;
    compressor.begin(type, compression_levels(type).standard, packed);
    for (int i = 0; i < 30; ++i) compressor.write(zeros);
    compressor.finish();
    Bytes piece(64 * 1024);
    const std::size_t before = heap_in_use();
    std::size_t most = 0;
    Decompressor decompressor;
    ASSERT_TRUE(decompressor.begin(type, packed));
    for (bool ended = false; !ended;) {
      const auto n = decompressor.read(piece);
      ASSERT_TRUE(n) << n.error().why;
      ended = *n < piece.size();
      most = std::max(most, heap_in_use());
    }
    EXPECT_LT(most, before + (4 << 20)) << compression_name(type);
  }
}

TEST(Compression, TheRatioBitesOnlyAboveTheFreeOutput) {
  const DecompressionLimits limits;
  EXPECT_EQ(limits.output_cap(10), 32u << 20);
  EXPECT_EQ(limits.output_cap(1 << 20), 100u << 20);
  EXPECT_EQ(limits.output_cap(100 << 20), (1u << 31) - 1);
}

TEST(Gzip, ConcatenatedMembersAreOneStream) {
  SeededRng rng(9);
  for (int round = 0; round < 50; ++round) {
    Bytes input;
    Bytes packed;
    for (std::uint64_t members = 1 + rng.below(5); members > 0; --members) {
      const Bytes part =
          rng.one_in(2) ? prose(rng.below(3000), rng.next()) : noise(rng.below(3000), rng.next());
      const Bytes member = compressed(CompressionType::kGzip, part);
      input.insert(input.end(), part.begin(), part.end());
      packed.insert(packed.end(), member.begin(), member.end());
    }
    EXPECT_EQ(unfolded(CompressionType::kGzip, packed).value(), input);
  }
}

TEST(Gzip, HeaderWithEveryOptionalFieldIsRead) {
  const Bytes input = prose(500, 10);
  ::z_stream z{};
  ASSERT_EQ(::deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string name = "letters.txt";
  std::string comment = "to Milena";
  std::string extra = "extra field";
  ::gz_header header{};
  header.extra = reinterpret_cast<Bytef*>(extra.data());
  header.extra_len = static_cast<uInt>(extra.size());
  header.name = reinterpret_cast<Bytef*>(name.data());
  header.comment = reinterpret_cast<Bytef*>(comment.data());
  header.hcrc = 1;
  ASSERT_EQ(::deflateSetHeader(&z, &header), Z_OK);
  Bytes packed(2000);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
  z.avail_in = static_cast<uInt>(input.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(::deflate(&z, Z_FINISH), Z_STREAM_END);
  packed.resize(packed.size() - z.avail_out);
  ::deflateEnd(&z);
  EXPECT_EQ(unfolded(CompressionType::kGzip, packed).value(), input);
}

TEST(Gzip, WrongChecksumOrLengthInTheTrailerIsCorrupt) {
  const Bytes packed = compressed(CompressionType::kGzip, prose(500, 11));
  for (std::size_t back = 1; back <= 8; ++back) {
    Bytes broken = packed;
    broken[broken.size() - back] ^= std::byte{1};
    EXPECT_EQ(error_of(CompressionType::kGzip, broken), ErrorCode::kCorruptMessage) << back;
  }
}

Bytes framed(std::initializer_list<std::pair<std::int32_t, Bytes>> chunks, std::int32_t version = 1,
             std::int32_t compatible = 1) {
  Bytes out = to_bytes({"\x82SNAPPY\0", 8});
  const auto put = [&](std::int32_t value) {
    std::byte raw[4];
    store_be(raw, value);
    out.insert(out.end(), raw, raw + 4);
  };
  put(version);
  put(compatible);
  for (const auto& [size, body] : chunks) {
    put(size);
    out.insert(out.end(), body.begin(), body.end());
  }
  return out;
}

Bytes raw_snappy(BytesView input) {
  std::string out;
  snappy::Compress(reinterpret_cast<const char*>(input.data()), input.size(), &out);
  return to_bytes(out);
}

TEST(Snappy, ARawBlockIsReadAsLibrdkafkaWritesIt) {
  for (const std::size_t size : {1u, 20u, 5000u, 300000u}) {
    const Bytes input = prose(size, size);
    EXPECT_EQ(unfolded(CompressionType::kSnappy, raw_snappy(input)).value(), input) << size;
  }
}

TEST(Snappy, ConcatenatedFramedStreamsAreOneStream) {
  const Bytes a = prose(50000, 1);
  const Bytes b = prose(100, 2);
  Bytes packed = compressed(CompressionType::kSnappy, a);
  const Bytes second = compressed(CompressionType::kSnappy, b);
  packed.insert(packed.end(), second.begin(), second.end());
  Bytes both = a;
  both.insert(both.end(), b.begin(), b.end());
  EXPECT_EQ(unfolded(CompressionType::kSnappy, packed).value(), both);
}

TEST(Snappy, HostileChunkSizesAndDeclaredLengthsAreCorrupt) {
  const Bytes block = raw_snappy(prose(100, 3));
  const auto size = static_cast<std::int32_t>(block.size());
  EXPECT_EQ(unfolded(CompressionType::kSnappy, framed({{size, block}})).value(), prose(100, 3));
  for (const std::int32_t bad : {-1, INT32_MIN, size + 1, INT32_MAX, size - 1}) {
    EXPECT_EQ(error_of(CompressionType::kSnappy, framed({{bad, block}})), ErrorCode::kCorruptMessage) << bad;
  }
  EXPECT_EQ(error_of(CompressionType::kSnappy, framed({{0, {}}})), ErrorCode::kCorruptMessage);
  EXPECT_EQ(error_of(CompressionType::kSnappy, framed({{size, block}}, -1, 9)), ErrorCode::kNone)
      << "nobody looks at the version numbers";
  // Declares 4 GiB - 1 in 5 bytes: refused before anything is allocated.
  const Bytes lie = to_bytes("\xff\xff\xff\xff\x0f");
  EXPECT_EQ(error_of(CompressionType::kSnappy, lie), ErrorCode::kCorruptMessage);
  EXPECT_EQ(error_of(CompressionType::kSnappy, framed({{5, lie}})), ErrorCode::kCorruptMessage);
}

TEST(Snappy, ALegitimateBlockStaysBelowTheWorstRatio) {
  const Bytes zeros(4 << 20);
  const Bytes block = raw_snappy(zeros);
  EXPECT_GT(zeros.size() / block.size(), 20u) << "as good as the format gets";
  EXPECT_EQ(unfolded(CompressionType::kSnappy, block).value().size(), zeros.size());
}

Bytes lz4_frame(BytesView input, const ::LZ4F_preferences_t& preferences) {
  Bytes out(::LZ4F_compressFrameBound(input.size(), &preferences));
  out.resize(::LZ4F_compressFrame(out.data(), out.size(), input.data(), input.size(), &preferences));
  return out;
}

TEST(Lz4, BlockAndContentChecksumsAndContentSizeAreReadAndVerified) {
  const Bytes input = prose(300000, 4);
  ::LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  for (int options = 0; options < 8; ++options) {
    preferences.frameInfo.contentChecksumFlag =
        (options & 1) != 0 ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum;
    preferences.frameInfo.blockChecksumFlag =
        (options & 2) != 0 ? LZ4F_blockChecksumEnabled : LZ4F_noBlockChecksum;
    preferences.frameInfo.contentSize = (options & 4) != 0 ? input.size() : 0;
    preferences.frameInfo.blockSizeID = (options & 1) != 0 ? LZ4F_max4MB : LZ4F_max64KB;
    Bytes packed = lz4_frame(input, preferences);
    EXPECT_EQ(unfolded(CompressionType::kLz4, packed).value(), input) << options;
    if ((options & 1) != 0) {
      packed.back() ^= std::byte{1};
      EXPECT_EQ(error_of(CompressionType::kLz4, packed), ErrorCode::kCorruptMessage) << options;
    }
  }
}

TEST(Lz4, WhatJavaReadersCannotReadIsRefused) {
  const Bytes input = prose(300000, 5);
  ::LZ4F_preferences_t linked{};
  linked.frameInfo.blockMode = LZ4F_blockLinked;
  EXPECT_EQ(error_of(CompressionType::kLz4, lz4_frame(input, linked)), ErrorCode::kCorruptMessage);

  ::LZ4F_preferences_t dictionary{};
  dictionary.frameInfo.blockMode = LZ4F_blockIndependent;
  dictionary.frameInfo.dictID = 7;
  EXPECT_EQ(error_of(CompressionType::kLz4, lz4_frame(input, dictionary)), ErrorCode::kCorruptMessage);

  const Bytes packed = compressed(CompressionType::kLz4, input);
  Bytes two = packed;
  two.insert(two.end(), packed.begin(), packed.end());
  EXPECT_EQ(error_of(CompressionType::kLz4, two), ErrorCode::kCorruptMessage) << "a second frame";

  Bytes skippable = to_bytes({"\x50\x2a\x4d\x18\x04\x00\x00\x00skip", 12});
  skippable.insert(skippable.end(), packed.begin(), packed.end());
  EXPECT_EQ(error_of(CompressionType::kLz4, skippable), ErrorCode::kCorruptMessage);

  Bytes legacy_checksum = packed;  // the header checksum that Kafka 0.8 computed wrongly
  legacy_checksum[6] ^= std::byte{0xff};
  EXPECT_EQ(error_of(CompressionType::kLz4, legacy_checksum), ErrorCode::kCorruptMessage);
}

TEST(Zstd, ConcatenatedFramesAndTheLargestWindowAreRead) {
  const Bytes input = prose(100000, 6);
  const Bytes high = compressed(CompressionType::kZstd, input, 22);
  Bytes two = high;
  two.insert(two.end(), high.begin(), high.end());
  EXPECT_EQ(unfolded(CompressionType::kZstd, two).value().size(), 2 * input.size());

  // As a Java producer streams it: the size is unknown, so the frame asks for level 22's whole window.
  Compressor compressor;
  Bytes streamed;
  compressor.begin(CompressionType::kZstd, 22, streamed);
  compressor.write(input);
  compressor.finish();
  EXPECT_EQ(unfolded(CompressionType::kZstd, streamed).value(), input);
  DecompressionLimits narrow;
  narrow.zstd_window_log = 23;
  EXPECT_EQ(error_of(CompressionType::kZstd, streamed, narrow), ErrorCode::kCorruptMessage);
}

TEST(Zstd, WindowBeyondTheLimitIsRefused) {
  // Magic, a frame header with window log 31 and no content size, one empty last block.
  const Bytes frame = to_bytes({"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9});
  EXPECT_EQ(error_of(CompressionType::kZstd, frame), ErrorCode::kCorruptMessage);
  Bytes small = frame;
  small[5] = std::byte{0x00};  // window log 10
  EXPECT_EQ(unfolded(CompressionType::kZstd, small).value().size(), 0u) << "the frame itself is sound";
}

TEST(Zstd, ADeclaredSizeThatIsNotReachedIsRefusedHoweverItIsRead) {
  // Declares 578 bytes, then ends with an empty block; zstd itself notices only when it reads at once.
  const Bytes frame = to_bytes({"\x28\xb5\x2f\xfd\x60\x42\x01\x05\x00\x00", 10});
  for (const std::size_t piece_bytes : {10u, 1000u}) {
    Decompressor decompressor;
    ASSERT_TRUE(decompressor.begin(CompressionType::kZstd, frame));
    Bytes piece(piece_bytes);
    const auto read = decompressor.read(piece);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kCorruptMessage);
  }
}

TEST(Zstd, ADictionaryIsRefused) {
  // A frame header with a one-byte dictionary id of 9, window log 10, then one empty last block.
  const Bytes frame = to_bytes({"\x28\xb5\x2f\xfd\x01\x00\x09\x01\x00\x00", 10});
  ASSERT_EQ(::ZSTD_getDictID_fromFrame(frame.data(), frame.size()), 9u);
  EXPECT_EQ(error_of(CompressionType::kZstd, frame), ErrorCode::kCorruptMessage);
}

}  // namespace
}  // namespace milena::protocol
