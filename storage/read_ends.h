// ReadEnds: where readers of the log's end stopped and will go on, so that they need not be looked for.
//
// Owned by a Log; not thread-safe. Offsets, and their positions in the active segment: the log end as it was
// when somebody read up to it. Forgotten when another segment becomes the active one, or this one is cut.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "storage/log_types.h"

namespace milena::storage {

class ReadEnds {
 public:
  void note(Offset offset, std::uint32_t position) {
    if (position_of(offset)) return;
    ends_[next_] = {offset, position};
    next_ = (next_ + 1) % ends_.size();
  }
  std::optional<std::uint32_t> position_of(Offset offset) const {
    for (const End& end : ends_)
      if (end.offset == offset) return end.position;
    return std::nullopt;
  }
  void forget() { ends_ = {}; }

 private:
  struct End {
    Offset offset = protocol::kNoOffset;
    std::uint32_t position = 0;
  };
  std::array<End, 4> ends_{};
  std::size_t next_ = 0;
};

}  // namespace milena::storage
