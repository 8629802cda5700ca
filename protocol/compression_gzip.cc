// gzip (RFC 1952): ISA-L inflates, zlib deflates (ISA-L has no levels 4-9).
//
// Members may follow each other, as java.util.zip.GZIPInputStream reads them. Anything else after a member is
// refused; Java would ignore it.
#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "protocol/compression_streams.h"
#include "protocol/error_code.h"

namespace milena::protocol {
namespace {

class GzipDecodeStream final : public DecodeStream {
 public:
  GzipDecodeStream() { ::isal_inflate_init(&state_); }

  Status begin(BytesView input, std::uint64_t, const DecompressionLimits&) override {
    if (input.size() > std::numeric_limits<std::int32_t>::max()) {
      return fail(ErrorCode::kMessageTooLarge, "gzip stream of more than 2 GiB");
    }
    start_member();
    // ISA-L's prototype lacks const; it only reads.
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(input.data()));
    state_.avail_in = static_cast<std::uint32_t>(input.size());
    return {};
  }

  Result<std::size_t> read(MutableBytes into) override {
    std::size_t filled = 0;
    while (filled < into.size()) {
      if (state_.block_state == ISAL_BLOCK_FINISH) {
        if (state_.avail_in == 0) break;
        start_member();
      }
      const auto room = static_cast<std::uint32_t>(
          std::min<std::size_t>(into.size() - filled, std::numeric_limits<std::int32_t>::max()));
      state_.next_out = reinterpret_cast<std::uint8_t*>(into.data() + filled);
      state_.avail_out = room;
      const std::uint32_t input_before = state_.avail_in;
      if (::isal_inflate(&state_) != ISAL_DECOMP_OK) {
        return fail(ErrorCode::kCorruptMessage, "broken gzip stream");
      }
      const std::uint32_t produced = room - state_.avail_out;
      filled += produced;
      const bool stuck = produced == 0 && state_.avail_in == input_before;
      if (state_.block_state != ISAL_BLOCK_FINISH && stuck) {
        return fail(ErrorCode::kCorruptMessage, "gzip stream ends early");
      }
    }
    return filled;
  }

 private:
  void start_member() {
    ::isal_inflate_reset(&state_);  // leaves input and output pointers as they are
    state_.crc_flag = ISAL_GZIP;    // header and trailer are checked too
  }

  ::inflate_state state_;
};

class GzipEncodeStream final : public EncodeStream {
 public:
  ~GzipEncodeStream() override {
    if (ready_) ::deflateEnd(&z_);
  }

  void begin(int level, std::vector<std::byte>& out) override {
    out_ = &out;
    if (ready_ && level == level_) {
      ::deflateReset(&z_);
      return;
    }
    if (ready_) ::deflateEnd(&z_);
    constexpr int kGzipWrapper = 15 + 16;
    constexpr int kMemoryLevel = 8;
    const int rc = ::deflateInit2(&z_, level, Z_DEFLATED, kGzipWrapper, kMemoryLevel, Z_DEFAULT_STRATEGY);
    MILENA_ASSERT(rc == Z_OK, "zlib does not start");
    ready_ = true;
    level_ = level;
  }

  void write(BytesView bytes) override { pump(bytes, Z_NO_FLUSH); }
  void finish(BytesView last) override { pump(last, Z_FINISH); }

 private:
  void pump(BytesView bytes, int flush) {
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    z_.avail_in = static_cast<uInt>(bytes.size());
    for (bool more = true; more;) {
      Tail tail(*out_, 16 * 1024);
      z_.next_out = reinterpret_cast<Bytef*>(tail.data());
      z_.avail_out = static_cast<uInt>(tail.size());
      const int rc = ::deflate(&z_, flush);
      MILENA_ASSERT(rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR, "zlib cannot compress");
      more = flush == Z_FINISH ? rc != Z_STREAM_END : z_.avail_out == 0;
      tail.commit(tail.size() - z_.avail_out);
    }
  }

  std::vector<std::byte>* out_ = nullptr;
  ::z_stream z_{};
  bool ready_ = false;
  int level_ = 0;
};

}  // namespace

std::unique_ptr<DecodeStream> make_gzip_decode_stream() { return std::make_unique<GzipDecodeStream>(); }
std::unique_ptr<EncodeStream> make_gzip_encode_stream() { return std::make_unique<GzipEncodeStream>(); }

}  // namespace milena::protocol
