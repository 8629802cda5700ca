// FrameReader: cuts what a connection receives into frames.
//
// One per connection. The buffer grows to the largest frame seen and is kept.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "base/bytes.h"

namespace milena::bench {

class FrameReader {
 public:
  explicit FrameReader(std::size_t capacity = 16 * 1024);

  // Takes what has come. True: it filled the room in the buffer, so there may be more to take once next() has
  // been called. A connection that the broker closed ends the run.
  bool fill(int socket);
  // The next whole frame without its size; valid until fill().
  std::optional<BytesView> next();

 private:
  void make_room(std::size_t size);

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace milena::bench
