// Arena: bump memory for one request. Freed in one go; runs no destructors.
//
// Owned by the request it serves; not thread-safe. Everything allocated from it is trivially destructible and
// dies with reset() or with the arena. reset() keeps the largest block, so a steady stream of requests of
// similar size allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"

namespace milena {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  Arena(Arena&&) noexcept = default;
  Arena& operator=(Arena&&) noexcept = default;

  // n value-initialised elements; an empty span for n == 0.
  template <class T>
  std::span<T> array(std::size_t n) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (n == 0) return {};
    T* first = static_cast<T*>(allocate(n * sizeof(T), alignof(T)));
    std::uninitialized_value_construct_n(first, n);
    return {first, n};
  }

  template <class T>
  T& make() {
    return array<T>(1)[0];
  }

  // A copy of text that lives as long as the arena.
  std::string_view text(std::string_view source);

  MutableBytes bytes(std::size_t n) {
    return n == 0 ? MutableBytes{} : MutableBytes{static_cast<std::byte*>(allocate(n, 1)), n};
  }

  // Bytes taken from the system so far; what reset() keeps is included.
  std::size_t footprint() const { return footprint_; }

  // Forgets every allocation and keeps the largest block, unless it is larger than keep_max bytes.
  void reset(std::size_t keep_max = 64 * 1024);

 private:
  void* allocate(std::size_t n, std::size_t align) {
    const std::size_t padding = -reinterpret_cast<std::uintptr_t>(cursor_) & (align - 1);
    const auto room = static_cast<std::size_t>(end_ - cursor_);
    if (padding > room || n > room - padding) [[unlikely]]
      return allocate_in_new_block(n, align);
    std::byte* const at = cursor_ + padding;
    cursor_ = at + n;
    return at;
  }
  void* allocate_in_new_block(std::size_t n, std::size_t align);

  struct Block {
    std::unique_ptr<std::byte[]> data;
    std::size_t size = 0;
  };
  std::vector<Block> blocks_;
  std::byte* cursor_ = nullptr;
  std::byte* end_ = nullptr;
  std::size_t next_size_ = 2048;
  std::size_t footprint_ = 0;
};

}  // namespace milena
