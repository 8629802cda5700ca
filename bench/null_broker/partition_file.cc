#include "bench/null_broker/partition_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "bench/null_broker/stop.h"
#include "protocol/record_batch.h"

namespace milena::bench {

using protocol::BatchLayout;

PartitionFile::~PartitionFile() {
  if (file_ >= 0) ::close(file_);
}

std::int64_t PartitionFile::append(MutableBytes batch) {
  if (file_ < 0) {
    file_ = ::open(path_.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0644);
    if (file_ < 0) stop_with_errno("open a partition");
  }
  const std::int64_t base_offset = end_offset_;
  store_be(batch.data() + BatchLayout::kBaseOffset, base_offset);
  reserve(batch.size());
  const ssize_t written = ::pwrite(file_, batch.data(), batch.size(), static_cast<off_t>(end_position_));
  if (written != static_cast<ssize_t>(batch.size())) stop_with_errno("append to a partition");
  places_.push_back({base_offset, end_position_});
  end_position_ += batch.size();
  end_offset_ += load_be<std::int32_t>(batch.data() + BatchLayout::kLastOffsetDelta) + 1;
  return base_offset;
}

// Blocks that are reserved many at a time make appends a third cheaper. Small files get none.
void PartitionFile::reserve(std::size_t size) {
  constexpr std::uint64_t kFrom = 1 << 20;
  constexpr std::uint64_t kAhead = 32 << 20;
  const std::uint64_t end = end_position_ + size;
  if (end <= reserved_ || end < kFrom) return;
  reserved_ = end + kAhead;
  fallocate(file_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(end_position_), static_cast<off_t>(size + kAhead));
}

PartitionFile::Range PartitionFile::find(std::int64_t offset, std::size_t max_bytes) const {
  if (offset < 0 || offset >= end_offset_) return {};
  auto first = places_.end() - 1;  // most readers are at the tail
  if (offset < first->base_offset) {
    first = std::ranges::upper_bound(places_, offset, {}, &Place::base_offset) - 1;
  }
  std::uint64_t end = end_position_;
  if (end - first->position > max_bytes) {
    const auto cut = std::ranges::upper_bound(first + 1, places_.end(), first->position + max_bytes, {},
                                              &Place::position) -
                     1;
    end = cut != first ? cut->position : (first + 1 != places_.end() ? (first + 1)->position : end_position_);
  }
  return {file_, first->position, end - first->position};
}

}  // namespace milena::bench
