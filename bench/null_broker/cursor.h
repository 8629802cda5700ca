// Cursor and Pen: read and write the fields of a flexible Kafka message, without looking back.
//
// A Cursor that ran over the end stays broken and reads zeros. A Pen asserts nothing: its caller reserved.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"
#include "protocol/varint.h"

namespace milena::bench {

class Cursor {
 public:
  explicit Cursor(MutableBytes bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool broken() const { return at_ == nullptr; }

  template <std::integral T>
  T integer() {
    const MutableBytes field = take(sizeof(T));
    return broken() ? T{} : load_be<T>(field.data());
  }

  std::uint32_t varint() {
    std::uint32_t value = 0;
    if (!broken()) {
      const std::byte* next = protocol::read_unsigned_varint(at_, end_, value);
      at_ = next == nullptr ? nullptr : at_ + (next - at_);
    }
    return broken() ? 0 : value;
  }

  // The number of elements; null counts as none.
  std::uint32_t count() {
    const std::uint32_t raw = varint();
    return raw == 0 ? 0 : raw - 1;
  }
  MutableBytes compact_bytes() { return take(count()); }
  std::string_view compact_text() { return as_text(compact_bytes()); }
  void skip_tags() {
    for (std::uint32_t tags = varint(); tags > 0 && !broken(); --tags) {
      varint();
      take(varint());
    }
  }

  MutableBytes take(std::size_t size) {
    if (broken() || static_cast<std::size_t>(end_ - at_) < size) {
      at_ = nullptr;
      return {};
    }
    const MutableBytes taken(at_, size);
    at_ += size;
    return taken;
  }

 private:
  std::byte* at_;
  std::byte* end_;
};

class Pen {
 public:
  explicit Pen(std::byte* at) : at_(at) {}

  template <std::integral T>
  Pen& integer(T value) {
    store_be(at_, value);
    at_ += sizeof(T);
    return *this;
  }
  Pen& varint(std::uint32_t value) {
    at_ = protocol::write_unsigned_varint(at_, value);
    return *this;
  }
  Pen& compact_text(std::string_view text) {
    varint(static_cast<std::uint32_t>(text.size()) + 1);
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Pen& no_tags() { return integer(std::uint8_t{0}); }

  std::byte* at() const { return at_; }

 private:
  std::byte* at_;
};

}  // namespace milena::bench
