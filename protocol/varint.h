// Variable-length integers as Kafka writes them: 7 bits a byte, low bits first, high bit set on all but the
// last. "Unsigned" is what compact strings, arrays and tagged fields use; signed values (record fields) are
// zigzagged first.
//
// Readers take [from, end) and return the byte after the integer, or nullptr when it is cut off or does not
// fit the type (more than 5 or 10 bytes, or bits beyond 32 or 64). Padded encodings of small values are
// accepted, as Kafka does. Writers take room for kMaxVarint / kMaxVarlong bytes and return the byte after
// what they wrote.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace milena::protocol {

inline constexpr std::size_t kMaxVarint = 5;
inline constexpr std::size_t kMaxVarlong = 10;

constexpr std::uint32_t zigzag(std::int32_t value) {
  return (static_cast<std::uint32_t>(value) << 1) ^ static_cast<std::uint32_t>(value >> 31);
}
constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int32_t unzigzag(std::uint32_t raw) {
  return static_cast<std::int32_t>((raw >> 1) ^ (0 - (raw & 1)));
}
constexpr std::int64_t unzigzag(std::uint64_t raw) {
  return static_cast<std::int64_t>((raw >> 1) ^ (0 - (raw & 1)));
}

namespace detail {

// Returned by value, so that what the fast path reads stays in registers.
template <class T>
struct Parsed {
  const std::byte* next;
  T value;
};

template <class T>
[[gnu::noinline]] constexpr Parsed<T> read_any_form(const std::byte* from, const std::byte* end) {
  constexpr unsigned kBits = sizeof(T) * 8;
  T result = 0;
  for (unsigned shift = 0; from != end && shift < kBits; shift += 7) {
    const auto octet = static_cast<T>(*from++);
    const T low = octet & 0x7f;
    if (shift + 7 > kBits && (low >> (kBits - shift)) != 0) break;
    result |= static_cast<T>(low << shift);
    if ((octet & 0x80) == 0) return {from, result};
  }
  return {nullptr, 0};
}

// Nearly all integers of a record take one or two bytes; those forms are read without a loop.
template <class T>
[[gnu::always_inline]] constexpr const std::byte* read(const std::byte* from, const std::byte* end,
                                                       T& value) {
  if (from == end) [[unlikely]]
    return nullptr;
  const auto first = static_cast<std::uint8_t>(from[0]);
  if (first < 0x80) {
    value = first;
    return from + 1;
  }
  if (end - from >= 2) [[likely]] {
    const auto second = static_cast<std::uint8_t>(from[1]);
    if (second < 0x80) {
      value = static_cast<T>((first & 0x7fu) | (unsigned{second} << 7));
      return from + 2;
    }
  }
  const auto parsed = read_any_form<T>(from, end);
  value = parsed.value;
  return parsed.next;
}

template <class T>
constexpr std::byte* write(std::byte* to, T value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<std::byte>(value | 0x80);
  *to++ = static_cast<std::byte>(value);
  return to;
}

}  // namespace detail

constexpr const std::byte* read_unsigned_varint(const std::byte* from, const std::byte* end,
                                                std::uint32_t& value) {
  return detail::read(from, end, value);
}

constexpr const std::byte* read_unsigned_varlong(const std::byte* from, const std::byte* end,
                                                 std::uint64_t& value) {
  return detail::read(from, end, value);
}

constexpr const std::byte* read_varint(const std::byte* from, const std::byte* end, std::int32_t& value) {
  std::uint32_t raw = 0;
  from = detail::read(from, end, raw);
  value = unzigzag(raw);
  return from;
}

constexpr const std::byte* read_varlong(const std::byte* from, const std::byte* end, std::int64_t& value) {
  std::uint64_t raw = 0;
  from = detail::read(from, end, raw);
  value = unzigzag(raw);
  return from;
}

constexpr std::byte* write_unsigned_varint(std::byte* to, std::uint32_t value) {
  return detail::write(to, value);
}
constexpr std::byte* write_unsigned_varlong(std::byte* to, std::uint64_t value) {
  return detail::write(to, value);
}
constexpr std::byte* write_varint(std::byte* to, std::int32_t value) {
  return detail::write(to, zigzag(value));
}
constexpr std::byte* write_varlong(std::byte* to, std::int64_t value) {
  return detail::write(to, zigzag(value));
}

constexpr std::size_t unsigned_varint_size(std::uint32_t value) {
  return value == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}
constexpr std::size_t unsigned_varlong_size(std::uint64_t value) {
  return value == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}
constexpr std::size_t varint_size(std::int32_t value) { return unsigned_varint_size(zigzag(value)); }
constexpr std::size_t varlong_size(std::int64_t value) { return unsigned_varlong_size(zigzag(value)); }

}  // namespace milena::protocol
