#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace milena {

std::uint32_t crc32c(BytesView bytes, std::uint32_t before) {
  constexpr std::size_t kPiece = 1 << 30;  // ISA-L takes an int
  std::uint32_t state = ~before;
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kPiece));
    // ISA-L's prototype lacks const; it only reads.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(piece.data()));
    state = ::crc32_iscsi(data, static_cast<int>(piece.size()), state);
    bytes = bytes.subspan(piece.size());
  }
  return ~state;
}

}  // namespace milena
