// Uuid: 16 bytes. Text form: URL-safe base64 without padding, 22 characters, as Kafka writes it.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace milena {

class Rng;

struct Uuid {
  std::array<std::byte, 16> bytes{};

  bool is_zero() const { return *this == Uuid{}; }
  std::string to_string() const;
  static std::optional<Uuid> parse(std::string_view text);

  // RFC 9562 version 4. Never one whose text form starts with '-' (it would read as a command-line option),
  // nor one of the low ids that Kafka reserves.
  static Uuid random(Rng& rng);
  static constexpr Uuid from_halves(std::uint64_t high, std::uint64_t low) {
    Uuid out;
    for (std::size_t i = 0; i < 8; ++i) {
      out.bytes[i] = static_cast<std::byte>(high >> (56 - 8 * i));
      out.bytes[8 + i] = static_cast<std::byte>(low >> (56 - 8 * i));
    }
    return out;
  }

  auto operator<=>(const Uuid&) const = default;
  // Two words at a time; the defaulted operator would compare byte by byte.
  friend constexpr bool operator==(const Uuid& a, const Uuid& b) {
    using Words = std::array<std::uint64_t, 2>;
    return std::bit_cast<Words>(a.bytes) == std::bit_cast<Words>(b.bytes);
  }
};

}  // namespace milena

template <>
struct std::hash<milena::Uuid> {
  std::size_t operator()(const milena::Uuid& id) const noexcept {
    std::uint64_t a = 0, b = 0;
    std::memcpy(&a, id.bytes.data(), 8);
    std::memcpy(&b, id.bytes.data() + 8, 8);
    return static_cast<std::size_t>(a ^ (b * 0x9e3779b97f4a7c15ULL));
  }
};
