// FrameReader: the bytes of one connection, cut into frames. No socket, no clock.
//
// A frame is four bytes of size (big-endian, positive) and that many bytes of request. Owned by a connection.
// Always:  memory follows the bytes received, never the size announced: a frame beyond kStageBytes gets a
// buffer
//          of its full size only when that much of it has arrived, and fresh buffers cost nothing until
//          filled.
// Fails:   kMalformed for a size below kMinFrameBytes or above the limit; kNoMemory when the system has none.
// The
//          reader is of no use after either.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "broker/net/buffer_pool.h"

namespace milena::broker {

class FrameReader {
 public:
  static constexpr std::size_t kStageBytes = 64 * 1024;

  struct Frame {
    MutableBytes bytes;  // without the size
    Buffer owner;  // of `bytes`; when empty, they are borrowed from the input: copy them before the next call
  };
  enum class Next { kFrame, kNeedBytes, kMalformed, kNoMemory };

  FrameReader(BufferPool& pool, std::int32_t frame_bytes_max)
      : pool_(pool), frame_bytes_max_(frame_bytes_max) {}

  // Bytes that were read. Borrowed until next() has answered kNeedBytes, or until hold().
  void feed(MutableBytes input);
  Next next(Frame& frame);
  // Copies input that next() has not consumed. The caller stops reading until it has been.
  [[nodiscard]] Next hold();
  bool has_input() const { return !input_.empty(); }

  // Room in the frame that is under way, for the socket to fill directly; empty when there is none. What was
  // put there is told to filled() before anything else is called.
  MutableBytes space() const;
  void filled(std::size_t n) { have_ += n; }
  // The frame goes on beyond space(): fill that alone, and there will be room for the rest.
  bool space_ends_early() const { return partial_ && partial_.capacity() < size_; }

  // Of the frame under way, and the size it announced. Zero between frames.
  std::size_t partial_bytes() const { return size_have_ > 0 ? size_have_ + have_ : 0; }
  std::size_t announced_bytes() const { return size_have_ == 4 ? size_ : 0; }

 private:
  Next begin_frame();
  Next grow();
  Next read_size(const std::byte* from);
  void end_frame();

  BufferPool& pool_;
  const std::int32_t frame_bytes_max_;
  MutableBytes input_;
  Buffer held_;  // owns input_ after hold()
  // The frame under way.
  std::array<std::byte, 4> size_bytes_{};
  std::size_t size_have_ = 0;
  std::size_t size_ = 0;
  std::size_t have_ = 0;
  Buffer partial_;
};

}  // namespace milena::broker
