// BufferPool: memory for frames, in sizes of powers of two, reused while it lasts.
//
// Belongs to one loop; not thread-safe. Fresh memory is not touched, so an unfilled buffer costs address
// space, not RSS. At most `keep_max` bytes wait here for reuse; the rest goes back to the system.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <utility>

#include "base/bytes.h"

namespace milena::broker {

class BufferPool;

// Bytes that go back to their pool when the Buffer dies. The pool outlives it.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Buffer();

  std::byte* data() const { return data_; }
  std::size_t capacity() const { return capacity_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  friend class BufferPool;
  Buffer(BufferPool& pool, std::byte* data, std::size_t capacity)
      : pool_(&pool), data_(data), capacity_(capacity) {}

  BufferPool* pool_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t capacity_ = 0;
};

class BufferPool {
 public:
  explicit BufferPool(std::size_t keep_max) : keep_max_(keep_max) {}
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  // At least `size` bytes with any content; an empty Buffer when the system has no memory.
  Buffer take(std::size_t size);
  std::size_t kept() const { return kept_; }
  // Gives back to the system what is kept beyond `keep` bytes, the largest buffers first.
  void trim(std::size_t keep);

 private:
  friend class Buffer;
  struct Free {
    Free* next;
  };
  static constexpr std::size_t kSmallest = 4096;

  static std::size_t index_of(std::size_t capacity) {
    return static_cast<std::size_t>(std::countr_zero(capacity / kSmallest));
  }
  void give(std::byte* data, std::size_t capacity);

  const std::size_t keep_max_;
  std::size_t kept_ = 0;
  std::array<Free*, 24> free_{};
};

}  // namespace milena::broker
