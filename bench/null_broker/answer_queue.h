// AnswerQueue: what a connection of the null broker still has to send: bytes, and ranges of files.
//
// One per connection, one thread. Steady work allocates nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace milena::bench {

class AnswerQueue {
 public:
  bool empty() const { return pieces_.empty(); }

  // Room for `size` bytes at the end, with anything in it; valid until the next call.
  MutableBytes extend(std::size_t size);
  void append_file(int file, std::uint64_t position, std::size_t size);

  enum class Sent { kAll, kSome, kBroken };
  // Sends what the socket takes; kSome: come again when it is writable.
  Sent flush(int socket);

 private:
  struct Piece {
    int file;                // -1: bytes_
    std::uint64_t position;  // in the file or in bytes_
    std::size_t left;
  };

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
  std::vector<Piece> pieces_;
  std::size_t first_ = 0;
};

}  // namespace milena::bench
