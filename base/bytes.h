// Borrowed bytes, and big-endian loads and stores.
//
// A BytesView never owns: whoever hands one out keeps the memory alive. SharedBytes owns, is counted, and may
// cross threads. Everything on Kafka's wire is big-endian unless a format page says otherwise.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace milena {

using BytesView = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline std::string_view as_text(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Reads a big-endian integer; the caller has checked that sizeof(T) bytes are there.
template <std::integral T>
T load_be(const std::byte* from) {
  std::make_unsigned_t<T> value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::little) value = std::byteswap(value);
  return static_cast<T>(value);
}

// Writes a big-endian integer; the caller has checked that sizeof(T) bytes fit.
template <std::integral T>
void store_be(std::byte* to, T value) {
  auto raw = static_cast<std::make_unsigned_t<T>>(value);
  if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::little) raw = std::byteswap(raw);
  std::memcpy(to, &raw, sizeof raw);
}

// A counted, immutable block of bytes and a window onto it. Copying shares the block.
class SharedBytes {
 public:
  SharedBytes() = default;
  SharedBytes(std::shared_ptr<const std::byte[]> owner, BytesView view)
      : owner_(std::move(owner)), view_(view) {}

  static SharedBytes copy_of(BytesView bytes) {
    auto block = std::make_shared_for_overwrite<std::byte[]>(bytes.size());
    if (!bytes.empty()) std::memcpy(block.get(), bytes.data(), bytes.size());
    const BytesView view(block.get(), bytes.size());
    return {std::move(block), view};
  }

  BytesView view() const { return view_; }
  std::size_t size() const { return view_.size(); }
  SharedBytes window(std::size_t at, std::size_t size) const { return {owner_, view_.subspan(at, size)}; }

 private:
  std::shared_ptr<const std::byte[]> owner_;
  BytesView view_;
};

}  // namespace milena
