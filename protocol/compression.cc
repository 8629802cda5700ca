#include "protocol/compression.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/assert.h"
#include "protocol/compression_streams.h"
#include "protocol/error_code.h"

namespace milena::protocol {
namespace {

struct CodecFacts {
  std::string_view name;
  CompressionLevels levels;
};

constexpr std::array<CodecFacts, kCompressionTypes> kCodecs = {{
    {"none", {}},
    {"gzip",
     {.lowest = 1, .highest = 9, .standard = -1}},  // -1: zlib's own choice, outside its range in Kafka too
    {"snappy", {}},
    {"lz4", {.lowest = 1, .highest = 17, .standard = 9}},
    {"zstd", {.lowest = -131072, .highest = 22, .standard = 3}},
}};

// Codec "none": the bytes themselves.
class PlainDecodeStream final : public DecodeStream {
 public:
  Status begin(BytesView input, std::uint64_t, const DecompressionLimits&) override {
    rest_ = input;
    return {};
  }
  Result<std::size_t> read(MutableBytes into) override {
    const std::size_t n = std::min(into.size(), rest_.size());
    if (n != 0) std::memcpy(into.data(), rest_.data(), n);
    rest_ = rest_.subspan(n);
    return n;
  }

 private:
  BytesView rest_;
};

class PlainEncodeStream final : public EncodeStream {
 public:
  void begin(int, std::vector<std::byte>& out) override { out_ = &out; }
  void write(BytesView bytes) override { out_->insert(out_->end(), bytes.begin(), bytes.end()); }
  void finish(BytesView last) override { write(last); }

 private:
  std::vector<std::byte>* out_ = nullptr;
};

std::unique_ptr<DecodeStream> make_decode_stream(CompressionType type) {
  switch (type) {
    case CompressionType::kNone:
      return std::make_unique<PlainDecodeStream>();
    case CompressionType::kGzip:
      return make_gzip_decode_stream();
    case CompressionType::kSnappy:
      return make_snappy_decode_stream();
    case CompressionType::kLz4:
      return make_lz4_decode_stream();
    case CompressionType::kZstd:
      return make_zstd_decode_stream();
  }
  return nullptr;
}

std::unique_ptr<EncodeStream> make_encode_stream(CompressionType type) {
  switch (type) {
    case CompressionType::kNone:
      return std::make_unique<PlainEncodeStream>();
    case CompressionType::kGzip:
      return make_gzip_encode_stream();
    case CompressionType::kSnappy:
      return make_snappy_encode_stream();
    case CompressionType::kLz4:
      return make_lz4_encode_stream();
    case CompressionType::kZstd:
      return make_zstd_encode_stream();
  }
  return nullptr;
}

}  // namespace

std::string_view compression_name(CompressionType type) {
  const auto id = static_cast<std::size_t>(type);
  return id < kCodecs.size() ? kCodecs[id].name : "unknown";
}

std::optional<CompressionType> compression_by_name(std::string_view name) {
  for (std::size_t id = 0; id < kCodecs.size(); ++id) {
    if (kCodecs[id].name == name) return static_cast<CompressionType>(id);
  }
  return std::nullopt;
}

CompressionLevels compression_levels(CompressionType type) {
  const auto id = static_cast<std::size_t>(type);
  MILENA_ASSERT(id < kCodecs.size(), "levels of an unknown codec");
  return kCodecs[id].levels;
}

std::uint64_t DecompressionLimits::output_cap(std::size_t input_bytes) const {
  return std::min(max_output_bytes, std::max(ratio_free_bytes, input_bytes * max_ratio));
}

Decompressor::Decompressor() = default;
Decompressor::~Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;

Status Decompressor::begin(CompressionType type, BytesView input, const DecompressionLimits& limits) {
  current_ = nullptr;
  const auto id = static_cast<std::size_t>(type);
  if (id >= streams_.size()) return fail(ErrorCode::kUnsupportedCompressionType, "unknown compression codec");
  if (!streams_[id]) streams_[id] = make_decode_stream(type);
  output_left_ = limits.output_cap(input.size());
  MILENA_CHECK(streams_[id]->begin(input, output_left_, limits));
  current_ = streams_[id].get();
  return {};
}

Result<std::size_t> Decompressor::read(MutableBytes into) {
  MILENA_ASSERT(current_ != nullptr, "read without a stream");
  Result<std::size_t> n = current_->read(into);
  if (n && *n > output_left_) n = fail(ErrorCode::kMessageTooLarge, "unfolds beyond the decompression limit");
  if (n) {
    output_left_ -= *n;
  } else {
    current_ = nullptr;
  }
  return n;
}

Compressor::Compressor() = default;
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

void Compressor::begin(CompressionType type, int level, std::vector<std::byte>& out) {
  const auto id = static_cast<std::size_t>(type);
  MILENA_ASSERT(id < streams_.size(), "compressing with an unknown codec");
  const auto& levels = kCodecs[id].levels;
  MILENA_ASSERT((level >= levels.lowest && level <= levels.highest) || level == levels.standard,
                "compression level out of range");
  if (!streams_[id]) streams_[id] = make_encode_stream(type);
  current_ = streams_[id].get();
  current_->begin(level, out);
}

void Compressor::write(BytesView bytes) {
  MILENA_ASSERT(current_ != nullptr, "write without a stream");
  current_->write(bytes);
}

void Compressor::finish(BytesView last) {
  MILENA_ASSERT(current_ != nullptr, "finish without a stream");
  current_->finish(last);
  current_ = nullptr;
}

Status decompress(Decompressor& decompressor, CompressionType type, BytesView input,
                  const DecompressionLimits& limits, std::vector<std::byte>& out) {
  out.clear();
  MILENA_CHECK(decompressor.begin(type, input, limits));
  // Grows with what arrives, never with what a header declares.
  std::size_t piece = std::clamp<std::size_t>(input.size() * 4, 4096, 1 << 20);
  for (;;) {
    Tail tail(out, piece);
    MILENA_TRY(const std::size_t n, decompressor.read({tail.data(), tail.size()}));
    tail.commit(n);
    if (n < piece) return {};
    piece = std::max<std::size_t>(piece, out.size() / 2);
  }
}

}  // namespace milena::protocol
