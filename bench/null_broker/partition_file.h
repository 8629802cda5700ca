// PartitionFile: one partition of the null broker, a file of batches and the place of each batch in it.
//
// Owned by Topics, one thread. The file is created on the first append. What goes wrong with it ends the
// program: a floor that cannot write measures nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/bytes.h"

namespace milena::bench {

class PartitionFile {
 public:
  explicit PartitionFile(std::string path) : path_(std::move(path)) {}
  ~PartitionFile();
  PartitionFile(const PartitionFile&) = delete;
  PartitionFile& operator=(const PartitionFile&) = delete;

  // Gives the batch its offsets and appends it with one write; the offset of its first record.
  std::int64_t append(MutableBytes batch);

  // The offset after the last record.
  std::int64_t end_offset() const { return end_offset_; }

  struct Range {
    int file = -1;
    std::uint64_t position = 0;
    std::size_t size = 0;  // 0: nothing there yet
  };
  // The whole batches from the one that holds `offset` on, up to max_bytes but at least one.
  Range find(std::int64_t offset, std::size_t max_bytes) const;

 private:
  void reserve(std::size_t size);

  struct Place {
    std::int64_t base_offset;
    std::uint64_t position;
  };

  std::string path_;
  int file_ = -1;
  std::int64_t end_offset_ = 0;
  std::uint64_t end_position_ = 0;
  std::uint64_t reserved_ = 0;  // blocks of the file system up to here
  std::deque<Place> places_;
};

}  // namespace milena::bench
