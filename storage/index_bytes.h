// IndexBytes: fixed-size entries in Kafka's byte order, either growing in memory (the active segment) or
// mapped read-only from a file of exact size (sealed segments). One representation, so one search serves
// both.
//
// Owned by an OffsetIndex or TimeIndex. Not thread-safe while growing.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/fs.h"

namespace milena::storage {

template <std::size_t kEntrySize>
class IndexBytes {
 public:
  IndexBytes() = default;
  explicit IndexBytes(std::unique_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {}
  explicit IndexBytes(std::vector<std::byte> bytes) : grown_(std::move(bytes)) {}

  BytesView bytes() const { return mapping_ ? mapping_->bytes() : BytesView(grown_); }
  std::size_t entries() const { return bytes().size() / kEntrySize; }
  bool is_whole() const { return bytes().size() % kEntrySize == 0; }
  const std::byte* entry(std::size_t i) const { return bytes().data() + i * kEntrySize; }

  // Room for one more entry. Growing indexes only.
  std::byte* append() {
    grown_.resize(grown_.size() + kEntrySize);
    return grown_.data() + grown_.size() - kEntrySize;
  }
  void truncate(std::size_t entries) { grown_.resize(entries * kEntrySize); }

  // How many leading entries satisfy `holds`, which must be true for a prefix of them.
  template <class Predicate>
  std::size_t partition_point(Predicate holds) const {
    std::size_t low = 0;
    for (std::size_t count = entries(); count > 0;) {
      const std::size_t half = count / 2;
      if (holds(entry(low + half))) {
        low += half + 1;
        count -= half + 1;
      } else {
        count = half;
      }
    }
    return low;
  }

 private:
  std::unique_ptr<Mapping> mapping_;
  std::vector<std::byte> grown_;
};

}  // namespace milena::storage
