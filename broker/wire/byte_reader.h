// ByteReader: takes values from the front of bytes, and knows where it is in the whole input.
//
// It throws nothing and reads nothing past the end: each call says whether the value was there. A view; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "protocol/varint.h"

namespace milena::wire {

class ByteReader {
 public:
  // `position`: where the first of these bytes is in the input.
  explicit ByteReader(BytesView bytes, std::uint64_t position = 0) : rest_(bytes), position_(position) {}

  std::uint64_t position() const { return position_; }
  BytesView rest() const { return rest_; }
  std::size_t left() const { return rest_.size(); }

  template <std::integral T>
  std::optional<T> fixed() {
    if (left() < sizeof(T)) return std::nullopt;
    const T value = load_be<T>(rest_.data());
    skip(sizeof(T));
    return value;
  }
  std::optional<std::uint32_t> uvarint() {
    std::uint32_t value = 0;
    const std::byte* next = protocol::read_unsigned_varint(rest_.data(), rest_.data() + left(), value);
    if (next == nullptr) return std::nullopt;
    skip(static_cast<std::size_t>(next - rest_.data()));
    return value;
  }
  std::optional<BytesView> take(std::size_t size) {
    if (size > left()) return std::nullopt;
    const BytesView taken = rest_.first(size);
    skip(size);
    return taken;
  }

 private:
  void skip(std::size_t size) {
    rest_ = rest_.subspan(size);
    position_ += size;
  }

  BytesView rest_;
  std::uint64_t position_;
};

}  // namespace milena::wire
