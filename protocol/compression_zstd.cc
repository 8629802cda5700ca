// zstd: frames one after the other, as Kafka's reader accepts them. A frame that names a dictionary is
// refused.
//
// The window is the only memory that a frame can ask for; DecompressionLimits::zstd_window_log bounds it.
// zstd takes the window's address space at once but touches only what the output fills. A context that grew
// beyond kKeptBytes is given back as soon as its stream ends.
#include <zstd.h>

#include "base/assert.h"
#include "protocol/compression_streams.h"
#include "protocol/error_code.h"

namespace milena::protocol {
namespace {

constexpr std::size_t kKeptBytes = 16 * 1024 * 1024;

class ZstdDecodeStream final : public DecodeStream {
 public:
  ~ZstdDecodeStream() override { ::ZSTD_freeDCtx(context_); }

  Status begin(BytesView input, std::uint64_t, const DecompressionLimits& limits) override {
    release_if_large();
    if (context_ == nullptr) context_ = ::ZSTD_createDCtx();
    MILENA_ASSERT(context_ != nullptr, "zstd does not start");
    ::ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    const auto rc = ::ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, limits.zstd_window_log);
    MILENA_ASSERT(::ZSTD_isError(rc) == 0, "zstd window limit out of range");
    input_ = {.src = input.data(), .size = input.size(), .pos = 0};
    start_frame();
    between_frames_ = false;
    return {};
  }

  Result<std::size_t> read(MutableBytes into) override {
    ::ZSTD_outBuffer output = {.dst = into.data(), .size = into.size(), .pos = 0};
    while (output.pos < output.size && !(between_frames_ && input_.pos == input_.size)) {
      if (between_frames_) start_frame();
      const std::size_t used_before = input_.pos;
      const std::size_t produced_before = output.pos;
      const std::size_t hint = ::ZSTD_decompressStream(context_, &output, &input_);
      if (::ZSTD_isError(hint) != 0) return broken("broken zstd stream");
      produced_in_frame_ += output.pos - produced_before;
      between_frames_ = hint == 0;
      if (between_frames_ && declared_ != ZSTD_CONTENTSIZE_UNKNOWN && declared_ != produced_in_frame_) {
        return broken("zstd frame declares another size");
      }
      if (!between_frames_ && input_.pos == used_before && output.pos == produced_before) {
        return broken("zstd stream ends early");
      }
    }
    if (output.pos < output.size) release_if_large();
    return output.pos;
  }

 private:
  // zstd compares the declared size only where it unfolds a frame in one go, and so would some consumers.
  void start_frame() {
    declared_ = ::ZSTD_getFrameContentSize(static_cast<const char*>(input_.src) + input_.pos,
                                           input_.size - input_.pos);
    produced_in_frame_ = 0;
  }

  std::unexpected<Error> broken(const char* why) {
    release_if_large();
    return fail(ErrorCode::kCorruptMessage, why);
  }

  void release_if_large() {
    if (context_ == nullptr || ::ZSTD_sizeof_DCtx(context_) <= kKeptBytes) return;
    ::ZSTD_freeDCtx(context_);
    context_ = nullptr;
  }

  ::ZSTD_DCtx* context_ = nullptr;
  ::ZSTD_inBuffer input_{};
  bool between_frames_ = false;
  unsigned long long declared_ = 0;
  std::uint64_t produced_in_frame_ = 0;
};

class ZstdEncodeStream final : public EncodeStream {
 public:
  ~ZstdEncodeStream() override { ::ZSTD_freeCCtx(context_); }

  void begin(int level, std::vector<std::byte>& out) override {
    out_ = &out;
    if (context_ != nullptr && ::ZSTD_sizeof_CCtx(context_) > kKeptBytes) {
      ::ZSTD_freeCCtx(context_);
      context_ = nullptr;
    }
    if (context_ == nullptr) context_ = ::ZSTD_createCCtx();
    MILENA_ASSERT(context_ != nullptr, "zstd does not start");
    ::ZSTD_CCtx_reset(context_, ZSTD_reset_session_only);
    const auto rc = ::ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
    MILENA_ASSERT(::ZSTD_isError(rc) == 0, "zstd level out of range");
  }

  void write(BytesView bytes) override { pump(bytes, ZSTD_e_continue); }
  void finish(BytesView last) override { pump(last, ZSTD_e_end); }

 private:
  void pump(BytesView bytes, ::ZSTD_EndDirective directive) {
    ::ZSTD_inBuffer input = {.src = bytes.data(), .size = bytes.size(), .pos = 0};
    for (bool more = true; more;) {
      Tail tail(*out_, ::ZSTD_CStreamOutSize());
      ::ZSTD_outBuffer output = {.dst = tail.data(), .size = tail.size(), .pos = 0};
      const std::size_t left = ::ZSTD_compressStream2(context_, &output, &input, directive);
      MILENA_ASSERT(::ZSTD_isError(left) == 0, "zstd cannot compress");
      more = directive == ZSTD_e_end ? left != 0 : input.pos < input.size;
      tail.commit(output.pos);
    }
  }

  ::ZSTD_CCtx* context_ = nullptr;
  std::vector<std::byte>* out_ = nullptr;
};

}  // namespace

std::unique_ptr<DecodeStream> make_zstd_decode_stream() { return std::make_unique<ZstdDecodeStream>(); }
std::unique_ptr<EncodeStream> make_zstd_encode_stream() { return std::make_unique<ZstdEncodeStream>(); }

}  // namespace milena::protocol
