// PersistentMap: an ordered map whose copies share everything that has not changed.
//
// A value type. Copying is cheap (one pointer per 64 entries) and copies never affect one another, so an
// image can be published to readers while the next one is made from a copy. Reading a const map is safe from
// any thread; writing is not synchronised. Iteration is in key order, whatever the order of writes: decisions
// may depend on it.
//
// Two levels: a vector of shared, immutable chunks of up to 64 sorted entries. find() costs two binary
// searches; a write copies one chunk and, where the map itself was copied from another, the vector of chunks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace milena::controller {

template <class Key, class Value, class Less = std::less<>>
class PersistentMap {
 public:
  struct Entry {
    Key key;
    Value value;
    bool operator==(const Entry&) const = default;
  };

  class Iterator;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Iterator begin() const { return Iterator(this, 0, 0); }
  Iterator end() const { return Iterator(this, chunks_.size(), 0); }

  // nullptr when there is no such key. The pointer lives as long as any map that shares the entry.
  template <class Probe>
  const Value* find(const Probe& key) const {
    const std::size_t chunk = chunk_of(key);
    if (chunk == chunks_.size()) return nullptr;
    const auto at = lower_bound(*chunks_[chunk], key);
    return at != chunks_[chunk]->end() && !less_(key, at->key) ? &at->value : nullptr;
  }

  template <class Probe>
  bool contains(const Probe& key) const {
    return find(key) != nullptr;
  }

  // The first entry whose key is not below `key`.
  template <class Probe>
  Iterator lower_bound_of(const Probe& key) const {
    const std::size_t chunk = chunk_of(key);
    if (chunk == chunks_.size()) return end();
    const auto at = lower_bound(*chunks_[chunk], key);
    const auto index = static_cast<std::size_t>(at - chunks_[chunk]->begin());
    return index < chunks_[chunk]->size() ? Iterator(this, chunk, index) : Iterator(this, chunk + 1, 0);
  }

  // Adds the entry or replaces its value.
  void set(Key key, Value value) {
    if (chunks_.empty()) {
      chunks_.push_back(std::make_shared<const Chunk>(1, Entry{std::move(key), std::move(value)}));
      size_ = 1;
      return;
    }
    const std::size_t index = std::min(chunk_of(key), chunks_.size() - 1);
    const Chunk& old = *chunks_[index];
    const auto at = static_cast<std::size_t>(lower_bound(old, key) - old.begin());
    if (at < old.size() && !less_(key, old[at].key)) {
      Chunk next(old);
      next[at].value = std::move(value);
      chunks_[index] = std::make_shared<const Chunk>(std::move(next));
      return;
    }
    ++size_;
    if (old.size() < kChunkSize) {
      chunks_[index] = with_entry(old, at, Entry{std::move(key), std::move(value)});
      return;
    }
    split(index, at, Entry{std::move(key), std::move(value)});
  }

  // Removes the entry; false when there was none.
  template <class Probe>
  bool erase(const Probe& key) {
    const std::size_t index = chunk_of(key);
    if (index == chunks_.size()) return false;
    const Chunk& old = *chunks_[index];
    const auto at = lower_bound(old, key);
    if (at == old.end() || less_(key, at->key)) return false;
    --size_;
    const auto position = chunks_.begin() + static_cast<std::ptrdiff_t>(index);
    if (old.size() == 1) {
      chunks_.erase(position);
      return true;
    }
    Chunk next;
    next.reserve(old.size() - 1);
    next.insert(next.end(), old.begin(), at);
    next.insert(next.end(), at + 1, old.end());
    if (index + 1 < chunks_.size() && next.size() + chunks_[index + 1]->size() <= kChunkSize / 2) {
      next.insert(next.end(), chunks_[index + 1]->begin(), chunks_[index + 1]->end());
      chunks_.erase(position + 1);
    }
    chunks_[index] = std::make_shared<const Chunk>(std::move(next));
    return true;
  }

  friend bool operator==(const PersistentMap& a, const PersistentMap& b) {
    return a.size_ == b.size_ && std::equal(a.begin(), a.end(), b.begin());
  }

 private:
  static constexpr std::size_t kChunkSize = 64;
  using Chunk = std::vector<Entry>;

  // The chunk whose range covers `key`: the first one whose last key is not below it; chunks_.size() when
  // `key` is above everything.
  template <class Probe>
  std::size_t chunk_of(const Probe& key) const {
    const auto at = std::partition_point(chunks_.begin(), chunks_.end(),
                                         [&](const auto& chunk) { return less_(chunk->back().key, key); });
    return static_cast<std::size_t>(at - chunks_.begin());
  }

  template <class Probe>
  auto lower_bound(const Chunk& chunk, const Probe& key) const {
    return std::partition_point(chunk.begin(), chunk.end(),
                                [&](const Entry& entry) { return less_(entry.key, key); });
  }

  static std::shared_ptr<const Chunk> with_entry(const Chunk& old, std::size_t at, Entry entry) {
    const auto middle = old.begin() + static_cast<std::ptrdiff_t>(at);
    Chunk next;
    next.reserve(old.size() + 1);
    next.insert(next.end(), old.begin(), middle);
    next.push_back(std::move(entry));
    next.insert(next.end(), middle, old.end());
    return std::make_shared<const Chunk>(std::move(next));
  }

  // A full chunk is cut in half, except at the very end of the map: keys that arrive in order then fill every
  // chunk.
  void split(std::size_t index, std::size_t at, Entry entry) {
    const Chunk& old = *chunks_[index];
    const auto after = chunks_.begin() + static_cast<std::ptrdiff_t>(index) + 1;
    if (at == old.size() && after == chunks_.end()) {
      chunks_.push_back(std::make_shared<const Chunk>(1, std::move(entry)));
      return;
    }
    const auto middle = old.begin() + kChunkSize / 2;
    Chunk low(old.begin(), middle);
    Chunk high(middle, old.end());
    Chunk& target = at <= low.size() ? low : high;
    const std::size_t offset = at <= low.size() ? at : at - low.size();
    target.insert(target.begin() + static_cast<std::ptrdiff_t>(offset), std::move(entry));
    auto low_chunk = std::make_shared<const Chunk>(std::move(low));
    chunks_.insert(after, std::make_shared<const Chunk>(std::move(high)));
    chunks_[index] = std::move(low_chunk);
  }

  std::vector<std::shared_ptr<const Chunk>> chunks_;  // never empty ones
  std::size_t size_ = 0;
  [[no_unique_address]] Less less_;
};

// Forward, constant; valid as long as the map is neither written nor destroyed.
template <class Key, class Value, class Less>
class PersistentMap<Key, Value, Less>::Iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = Entry;
  using difference_type = std::ptrdiff_t;
  using pointer = const Entry*;
  using reference = const Entry&;

  Iterator() = default;
  reference operator*() const { return (*map_->chunks_[chunk_])[entry_]; }
  pointer operator->() const { return &**this; }
  Iterator& operator++() {
    if (++entry_ == map_->chunks_[chunk_]->size()) {
      ++chunk_;
      entry_ = 0;
    }
    return *this;
  }
  Iterator operator++(int) {
    Iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Iterator&) const = default;

 private:
  friend class PersistentMap;
  Iterator(const PersistentMap* map, std::size_t chunk, std::size_t entry)
      : map_(map), chunk_(chunk), entry_(entry) {}

  const PersistentMap* map_ = nullptr;
  std::size_t chunk_ = 0;
  std::size_t entry_ = 0;
};

}  // namespace milena::controller
