#include "base/uuid.h"

#include <algorithm>

#include "base/rng.h"

namespace milena {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string Uuid::to_string() const {
  std::string out;
  out.reserve(22);
  std::uint32_t bits = 0;
  int held = 0;
  for (std::byte b : bytes) {
    bits = (bits << 8) | std::to_integer<std::uint32_t>(b);
    held += 8;
    while (held >= 6) out += kAlphabet[(bits >> (held -= 6)) & 63];
  }
  out += kAlphabet[(bits << (6 - held)) & 63];
  return out;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 22) return std::nullopt;
  Uuid out;
  std::uint32_t bits = 0;
  int held = 0;
  std::size_t at = 0;
  for (char c : text) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8 && at < 16) out.bytes[at++] = static_cast<std::byte>(bits >> (held -= 8));
  }
  if ((bits & 15) != 0) return std::nullopt;  // the last character carries two bits of the id
  return out;
}

Uuid Uuid::random(Rng& rng) {
  for (;;) {
    Uuid id = from_halves(rng.next(), rng.next());
    id.bytes[6] = (id.bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    id.bytes[8] = (id.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    if (id.to_string().front() != '-') return id;
  }
}

}  // namespace milena
