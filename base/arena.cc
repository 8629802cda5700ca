#include "base/arena.h"

#include <algorithm>
#include <utility>

namespace milena {

std::string_view Arena::text(std::string_view source) {
  if (source.empty()) return {};
  auto* copy = static_cast<char*>(allocate(source.size(), 1));
  std::memcpy(copy, source.data(), source.size());
  return {copy, source.size()};
}

void* Arena::allocate_in_new_block(std::size_t n, std::size_t align) {
  const std::size_t size = std::max(next_size_, n + align);
  next_size_ = size * 2;
  footprint_ += size;
  blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
  cursor_ = blocks_.back().data.get();
  end_ = cursor_ + size;
  return allocate(n, align);
}

void Arena::reset(std::size_t keep_max) {
  if (blocks_.empty()) return;
  Block largest = std::move(
      *std::max_element(blocks_.begin(), blocks_.end(), [](auto& a, auto& b) { return a.size < b.size; }));
  blocks_.clear();
  cursor_ = end_ = nullptr;
  footprint_ = 0;
  next_size_ = 2048;
  if (largest.size > keep_max) return;
  cursor_ = largest.data.get();
  end_ = cursor_ + largest.size;
  footprint_ = largest.size;
  next_size_ = largest.size * 2;
  blocks_.push_back(std::move(largest));
}

}  // namespace milena
