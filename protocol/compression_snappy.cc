// snappy: in the chunk framing of snappy-java ("xerial"), which Kafka's clients write, or one raw block,
// which librdkafka writes. A stream that does not start with the framing's header is a raw block.
//
// A block cannot be unfolded piecemeal, so its output is held whole. The format cannot expand more than 64
// bytes out of 3, so a block that declares more than its size allows is refused before anything is allocated.
#include <snappy.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "protocol/compression_streams.h"
#include "protocol/error_code.h"

namespace milena::protocol {
namespace {

constexpr std::array<std::uint8_t, 8> kMagic = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
constexpr std::size_t kHeaderBytes = 16;  // magic, version, lowest compatible version
constexpr std::int32_t kVersion = 1;
constexpr std::size_t kChunkBytes = 32 * 1024;   // what snappy-java writes by default
constexpr std::size_t kKeptBytes = 1024 * 1024;  // scratch that is kept between streams
constexpr std::uint64_t kWorstRatio = 22;        // a 3-byte copy element gives at most 64 bytes

bool starts_with_header(BytesView bytes) {
  return bytes.size() >= kHeaderBytes && std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

class SnappyDecodeStream final : public DecodeStream {
 public:
  Status begin(BytesView input, std::uint64_t output_cap, const DecompressionLimits&) override {
    rest_ = input;
    block_ = {};
    output_cap_ = output_cap;
    if (scratch_.capacity() > kKeptBytes) std::vector<std::byte>().swap(scratch_);
    if (starts_with_header(input)) return {};
    rest_ = {};
    return unfold(input);
  }

  Result<std::size_t> read(MutableBytes into) override {
    std::size_t filled = 0;
    while (filled < into.size()) {
      if (block_.empty()) {
        if (rest_.empty()) break;
        MILENA_CHECK(next_chunk());
        continue;
      }
      const std::size_t n = std::min(into.size() - filled, block_.size());
      std::memcpy(into.data() + filled, block_.data(), n);
      block_ = block_.subspan(n);
      filled += n;
    }
    return filled;
  }

 private:
  Status next_chunk() {
    // Streams may be concatenated, so a header may stand where a chunk would. Its version numbers never
    // mattered.
    if (starts_with_header(rest_)) {
      rest_ = rest_.subspan(kHeaderBytes);
      return {};
    }
    if (rest_.size() < 4) return fail(ErrorCode::kCorruptMessage, "snappy stream ends early");
    const auto size = load_be<std::int32_t>(rest_.data());
    rest_ = rest_.subspan(4);
    if (size < 0 || static_cast<std::size_t>(size) > rest_.size()) {
      return fail(ErrorCode::kCorruptMessage, "snappy chunk of an impossible size");
    }
    const BytesView chunk = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(chunk.size());
    return unfold(chunk);
  }

  Status unfold(BytesView chunk) {
    const char* data = reinterpret_cast<const char*>(chunk.data());
    std::size_t size = 0;
    if (!snappy::GetUncompressedLength(data, chunk.size(), &size) || size > chunk.size() * kWorstRatio) {
      return fail(ErrorCode::kCorruptMessage, "snappy block declares an impossible size");
    }
    if (size > output_cap_) return fail(ErrorCode::kMessageTooLarge, "snappy block beyond the limit");
    if (scratch_.size() < size) scratch_.resize(size);
    if (!snappy::RawUncompress(data, chunk.size(), reinterpret_cast<char*>(scratch_.data()))) {
      return fail(ErrorCode::kCorruptMessage, "broken snappy block");
    }
    block_ = BytesView(scratch_).first(size);
    return {};
  }

  BytesView rest_;   // framed input not yet looked at
  BytesView block_;  // unfolded and not yet read
  std::uint64_t output_cap_ = 0;
  std::vector<std::byte> scratch_;
};

class SnappyEncodeStream final : public EncodeStream {
 public:
  void begin(int, std::vector<std::byte>& out) override {
    out_ = &out;
    pending_.clear();
    Tail header(out, kHeaderBytes);
    std::memcpy(header.data(), kMagic.data(), kMagic.size());
    store_be<std::int32_t>(header.data() + 8, kVersion);
    store_be<std::int32_t>(header.data() + 12, kVersion);
  }

  void write(BytesView bytes) override {
    while (pending_.size() + bytes.size() >= kChunkBytes) {
      const std::size_t n = kChunkBytes - pending_.size();
      if (pending_.empty()) {
        emit(bytes.first(n));
      } else {
        pending_.insert(pending_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
        emit(pending_);
        pending_.clear();
      }
      bytes = bytes.subspan(n);
    }
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  }

  void finish(BytesView last) override {
    write(last);
    if (!pending_.empty()) emit(pending_);
  }

 private:
  void emit(BytesView chunk) {
    Tail tail(*out_, 4 + snappy::MaxCompressedLength(chunk.size()));
    std::size_t size = 0;
    snappy::RawCompress(reinterpret_cast<const char*>(chunk.data()), chunk.size(),
                        reinterpret_cast<char*>(tail.data() + 4), &size);
    store_be(tail.data(), static_cast<std::int32_t>(size));
    tail.commit(4 + size);
  }

  std::vector<std::byte>* out_ = nullptr;
  std::vector<std::byte> pending_;  // less than a chunk
};

}  // namespace

std::unique_ptr<DecodeStream> make_snappy_decode_stream() { return std::make_unique<SnappyDecodeStream>(); }
std::unique_ptr<EncodeStream> make_snappy_encode_stream() { return std::make_unique<SnappyEncodeStream>(); }

}  // namespace milena::protocol
