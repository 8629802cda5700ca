// lz4: one frame of the LZ4 frame format, magic 0x184D2204.
//
// Kafka's Java reader knows only part of the format, so a broker that stored the rest would break its
// consumers: blocks must be independent, and dictionaries, skippable frames and reserved bits are refused.
// The header checksum, and block and content checksums where the frame has them, are verified.
#include <lz4frame.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "protocol/compression_streams.h"
#include "protocol/error_code.h"

namespace milena::protocol {
namespace {

constexpr std::size_t kDescriptorBytes = 7;  // magic, FLG, BD, header checksum: the least a frame can be
constexpr std::uint8_t kFlgFixedBits = 0b11100011;  // version, block independence, reserved, dictionary id
constexpr std::uint8_t kFlgExpected = 0b01100000;   // version 1, independent blocks, no more

class Lz4DecodeStream final : public DecodeStream {
 public:
  ~Lz4DecodeStream() override { ::LZ4F_freeDecompressionContext(context_); }

  Status begin(BytesView input, std::uint64_t, const DecompressionLimits&) override {
    if (input.size() < kDescriptorBytes) return fail(ErrorCode::kCorruptMessage, "lz4 frame ends early");
    constexpr std::uint8_t kMagic[] = {0x04, 0x22, 0x4d, 0x18};
    if (std::memcmp(input.data(), kMagic, sizeof kMagic) != 0) {
      return fail(ErrorCode::kCorruptMessage, "no lz4 frame");
    }
    if ((static_cast<std::uint8_t>(input[4]) & kFlgFixedBits) != kFlgExpected) {
      return fail(ErrorCode::kCorruptMessage, "lz4 frame of a kind that Kafka cannot read");
    }
    if (context_ == nullptr) {
      const auto rc = ::LZ4F_createDecompressionContext(&context_, LZ4F_VERSION);
      MILENA_ASSERT(::LZ4F_isError(rc) == 0, "lz4 does not start");
    }
    ::LZ4F_resetDecompressionContext(context_);
    rest_ = input;
    ended_ = false;
    return {};
  }

  Result<std::size_t> read(MutableBytes into) override {
    std::size_t filled = 0;
    while (filled < into.size() && !ended_) {
      std::size_t produced = into.size() - filled;
      std::size_t used = rest_.size();
      const std::size_t hint =
          ::LZ4F_decompress(context_, into.data() + filled, &produced, rest_.data(), &used, nullptr);
      if (::LZ4F_isError(hint) != 0) return fail(ErrorCode::kCorruptMessage, "broken lz4 frame");
      filled += produced;
      rest_ = rest_.subspan(used);
      ended_ = hint == 0;
      if (!ended_ && produced == 0 && used == 0) {
        return fail(ErrorCode::kCorruptMessage, "lz4 frame ends early");
      }
    }
    if (ended_ && !rest_.empty()) return fail(ErrorCode::kCorruptMessage, "bytes after the lz4 frame");
    return filled;
  }

 private:
  ::LZ4F_dctx* context_ = nullptr;
  BytesView rest_;
  bool ended_ = false;
};

class Lz4EncodeStream final : public EncodeStream {
 public:
  ~Lz4EncodeStream() override { ::LZ4F_freeCompressionContext(context_); }

  void begin(int level, std::vector<std::byte>& out) override {
    out_ = &out;
    if (context_ == nullptr) {
      const auto rc = ::LZ4F_createCompressionContext(&context_, LZ4F_VERSION);
      MILENA_ASSERT(::LZ4F_isError(rc) == 0, "lz4 does not start");
    }
    // Kafka's level 9, the default, means lz4's fast mode; every other level is one of its high-compression
    // mode.
    constexpr int kFastest = 3;
    constexpr int kSlowest = 12;
    preferences_.compressionLevel = level == compression_levels(CompressionType::kLz4).standard
                                        ? 0
                                        : std::clamp(level, kFastest, kSlowest);
    preferences_.frameInfo.blockSizeID = LZ4F_max64KB;
    preferences_.frameInfo.blockMode = LZ4F_blockIndependent;
    Tail tail(out, LZ4F_HEADER_SIZE_MAX);
    tail.commit(checked(::LZ4F_compressBegin(context_, tail.data(), tail.size(), &preferences_)));
  }

  void write(BytesView bytes) override {
    Tail tail(*out_, ::LZ4F_compressBound(bytes.size(), &preferences_));
    tail.commit(checked(
        ::LZ4F_compressUpdate(context_, tail.data(), tail.size(), bytes.data(), bytes.size(), nullptr)));
  }

  void finish(BytesView last) override {
    if (!last.empty()) write(last);
    Tail tail(*out_, ::LZ4F_compressBound(0, &preferences_));
    tail.commit(checked(::LZ4F_compressEnd(context_, tail.data(), tail.size(), nullptr)));
  }

 private:
  static std::size_t checked(std::size_t rc) {
    MILENA_ASSERT(::LZ4F_isError(rc) == 0, "lz4 cannot compress");
    return rc;
  }

  ::LZ4F_cctx* context_ = nullptr;
  ::LZ4F_preferences_t preferences_{};
  std::vector<std::byte>* out_ = nullptr;
};

}  // namespace

std::unique_ptr<DecodeStream> make_lz4_decode_stream() { return std::make_unique<Lz4DecodeStream>(); }
std::unique_ptr<EncodeStream> make_lz4_encode_stream() { return std::make_unique<Lz4EncodeStream>(); }

}  // namespace milena::protocol
