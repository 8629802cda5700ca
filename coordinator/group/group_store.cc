#include "coordinator/group/group_store.h"

#include <cstddef>

#include "base/uuid.h"

namespace milena::coordinator {

std::string random_member_id(Rng& rng) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const Uuid id = Uuid::random(rng);
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[std::to_integer<unsigned>(id.bytes[i]) >> 4];
    text += kDigits[std::to_integer<unsigned>(id.bytes[i]) & 0xf];
  }
  return text;
}

}  // namespace milena::coordinator
