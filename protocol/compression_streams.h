// The seam between compression.cc, which knows caps, and compression_CODEC.cc, which know one library each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/compression.h"

namespace milena::protocol {

class DecodeStream {
 public:
  virtual ~DecodeStream() = default;
  // `output_cap` bounds what the stream may allocate for a part that it must unfold in one piece.
  virtual Status begin(BytesView input, std::uint64_t output_cap, const DecompressionLimits& limits) = 0;
  // As Decompressor::read, without the cap.
  virtual Result<std::size_t> read(MutableBytes into) = 0;
};

class EncodeStream {
 public:
  virtual ~EncodeStream() = default;
  virtual void begin(int level, std::vector<std::byte>& out) = 0;
  virtual void write(BytesView bytes) = 0;
  virtual void finish(BytesView last) = 0;
};

std::unique_ptr<DecodeStream> make_gzip_decode_stream();
std::unique_ptr<DecodeStream> make_snappy_decode_stream();
std::unique_ptr<DecodeStream> make_lz4_decode_stream();
std::unique_ptr<DecodeStream> make_zstd_decode_stream();

std::unique_ptr<EncodeStream> make_gzip_encode_stream();
std::unique_ptr<EncodeStream> make_snappy_encode_stream();
std::unique_ptr<EncodeStream> make_lz4_encode_stream();
std::unique_ptr<EncodeStream> make_zstd_encode_stream();

// Room for `most` bytes at the end of a buffer that a library is to fill; commit() keeps those it wrote.
class Tail {
 public:
  Tail(std::vector<std::byte>& out, std::size_t most) : out_(out), before_(out.size()) {
    out.resize(before_ + most);
  }
  std::byte* data() { return out_.data() + before_; }
  std::size_t size() const { return out_.size() - before_; }
  void commit(std::size_t written) { out_.resize(before_ + written); }

 private:
  std::vector<std::byte>& out_;
  std::size_t before_;
};

}  // namespace milena::protocol
