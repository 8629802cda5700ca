#include "bench/load/frame_reader.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "bench/load/fail.h"
#include "protocol/frame.h"

namespace milena::bench {

using protocol::kFrameSizeBytes;

FrameReader::FrameReader(std::size_t capacity)
    : bytes_(std::make_unique_for_overwrite<std::byte[]>(capacity)), capacity_(capacity) {}

bool FrameReader::fill(int socket) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ - begin_ >= kFrameSizeBytes) {
    make_room(kFrameSizeBytes + load_be<std::uint32_t>(bytes_.get() + begin_));
  } else if (end_ == capacity_) {
    make_room(capacity_);
  }
  const std::size_t room = capacity_ - end_;
  const ssize_t got = ::recv(socket, bytes_.get() + end_, room, 0);
  if (got == 0) fail_run("the broker closed a connection");
  if (got < 0) {
    if (errno != EAGAIN) fail_run_with_errno("receive");
    return false;
  }
  end_ += static_cast<std::size_t>(got);
  return static_cast<std::size_t>(got) == room;
}

std::optional<BytesView> FrameReader::next() {
  const std::size_t there = end_ - begin_;
  if (there < kFrameSizeBytes) return std::nullopt;
  const std::size_t size = load_be<std::uint32_t>(bytes_.get() + begin_);
  if (there - kFrameSizeBytes < size) return std::nullopt;
  const BytesView frame(bytes_.get() + begin_ + kFrameSizeBytes, size);
  begin_ += kFrameSizeBytes + size;
  return frame;
}

// Room for `size` bytes from begin_ on.
void FrameReader::make_room(std::size_t size) {
  if (begin_ + size <= capacity_ && end_ < capacity_) return;
  if (size > capacity_) {
    capacity_ = size + size / 4;
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity_);
    std::memcpy(larger.get(), bytes_.get() + begin_, end_ - begin_);
    bytes_ = std::move(larger);
  } else {
    std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
  }
  end_ -= begin_;
  begin_ = 0;
}

}  // namespace milena::bench
