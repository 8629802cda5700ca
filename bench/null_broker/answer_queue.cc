#include "bench/null_broker/answer_queue.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace milena::bench {

MutableBytes AnswerQueue::extend(std::size_t size) {
  if (used_ + size > capacity_) {
    const std::size_t capacity = std::max(2 * capacity_, used_ + size);
    auto bytes = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (used_ > 0) std::memcpy(bytes.get(), bytes_.get(), used_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }
  const MutableBytes room(bytes_.get() + used_, size);
  if (!pieces_.empty() && pieces_.back().file < 0) {
    pieces_.back().left += size;
  } else {
    pieces_.push_back({-1, used_, size});
  }
  used_ += size;
  return room;
}

void AnswerQueue::append_file(int file, std::uint64_t position, std::size_t size) {
  pieces_.push_back({file, position, size});
}

AnswerQueue::Sent AnswerQueue::flush(int socket) {
  for (; first_ < pieces_.size(); ++first_) {
    Piece& piece = pieces_[first_];
    const int more = first_ + 1 < pieces_.size() ? MSG_MORE : 0;
    while (piece.left > 0) {
      ssize_t sent;
      if (piece.file < 0) {
        sent = ::send(socket, bytes_.get() + piece.position, piece.left, MSG_NOSIGNAL | more);
        if (sent > 0) piece.position += static_cast<std::uint64_t>(sent);
      } else {
        auto position = static_cast<off_t>(piece.position);
        sent = ::sendfile(socket, piece.file, &position, piece.left);
        piece.position = static_cast<std::uint64_t>(position);
      }
      if (sent <= 0) return sent < 0 && errno == EAGAIN ? Sent::kSome : Sent::kBroken;
      piece.left -= static_cast<std::size_t>(sent);
    }
  }
  pieces_.clear();
  used_ = 0;
  first_ = 0;
  return Sent::kAll;
}

}  // namespace milena::bench
