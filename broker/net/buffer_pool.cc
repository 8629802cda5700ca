#include "broker/net/buffer_pool.h"

#include <algorithm>
#include <new>

namespace milena::broker {

Buffer::~Buffer() {
  if (data_ != nullptr) pool_->give(data_, capacity_);
}

BufferPool::~BufferPool() {
  for (Free* first : free_) {
    while (first != nullptr) ::operator delete(std::exchange(first, first->next));
  }
}

Buffer BufferPool::take(std::size_t size) {
  const std::size_t capacity = std::bit_ceil(std::max(size, kSmallest));
  const std::size_t index = index_of(capacity);
  if (index >= free_.size()) return {};
  if (Free* const first = free_[index]; first != nullptr) {
    free_[index] = first->next;
    kept_ -= capacity;
    return {*this, reinterpret_cast<std::byte*>(first), capacity};
  }
  auto* const fresh = static_cast<std::byte*>(::operator new(capacity, std::nothrow));
  if (fresh == nullptr) return {};
  return {*this, fresh, capacity};
}

void BufferPool::trim(std::size_t keep) {
  for (std::size_t index = free_.size(); index-- > 0;) {
    while (kept_ > keep && free_[index] != nullptr) {
      ::operator delete(std::exchange(free_[index], free_[index]->next));
      kept_ -= kSmallest << index;
    }
  }
}

void BufferPool::give(std::byte* data, std::size_t capacity) {
  if (kept_ + capacity > keep_max_) return ::operator delete(data);
  const std::size_t index = index_of(capacity);
  free_[index] = new (data) Free{free_[index]};
  kept_ += capacity;
}

}  // namespace milena::broker
