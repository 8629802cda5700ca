#include "protocol/codec.h"

#include <cstring>

#include "base/assert.h"

namespace milena::protocol {

BytesView flatten(const Encoded& encoded, Arena& arena) {
  if (encoded.splices.empty()) return encoded.head();
  const MutableBytes out = arena.bytes(encoded.size());
  const BytesView head = encoded.head();
  std::byte* at = out.data();
  std::size_t done = 0;
  const auto copy = [&at](BytesView bytes) {
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
  };
  for (const Encoded::Splice& splice : encoded.splices) {
    MILENA_ASSERT(splice.records.external == nullptr, "only the sender can read external records");
    copy(head.subspan(done, splice.at - done));
    copy(splice.records.bytes);
    done = splice.at;
  }
  copy(head.subspan(done));
  return out;
}

}  // namespace milena::protocol
