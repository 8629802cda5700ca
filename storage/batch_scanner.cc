#include "storage/batch_scanner.h"

#include <algorithm>
#include <limits>

#include "base/crc32c.h"

namespace milena::storage {

using protocol::BatchLayout;

BatchScanner::BatchScanner(const File& file, std::uint64_t position, std::uint64_t end,
                           std::size_t read_bytes)
    : file_(file), position_(position), next_position_(position), end_(std::max(position, end)) {
  make_room(std::clamp<std::size_t>(end_ - position, protocol::kBatchHeaderBytes, read_bytes));
}

BatchScanner::BatchScanner(const File& file, std::uint64_t position, std::uint64_t end, MutableBytes buffer)
    : file_(file),
      position_(position),
      next_position_(position),
      end_(std::max(position, end)),
      buffer_(buffer) {}

void BatchScanner::make_room(std::size_t size) {
  memory_ = std::make_unique_for_overwrite<std::byte[]>(size);
  buffer_ = {memory_.get(), size};
}

IoResult<BytesView> BatchScanner::bytes_at(std::uint64_t position, std::size_t size) {
  if (position < buffered_from_ || position + size > buffered_from_ + buffered_) {
    if (size > buffer_.size()) make_room(size);
    const std::size_t want = std::min<std::uint64_t>(buffer_.size(), end_ - position);
    buffered_ = 0;
    MILENA_TRY(buffered_, file_.read_at(position, buffer_.first(want)));
    buffered_from_ = position;
  }
  const std::size_t skip = position - buffered_from_;
  return BytesView{buffer_.data() + skip, std::min(size, buffered_ - skip)};
}

IoResult<BatchScanner::Step> BatchScanner::next() {
  position_ = next_position_;
  header_.reset();
  if (position_ == end_) return Step::kEnd;
  const std::uint64_t left = end_ - position_;
  if (left < protocol::kBatchHeaderBytes) return Step::kBroken;
  MILENA_TRY(const BytesView head, bytes_at(position_, protocol::kBatchHeaderBytes));
  std::ranges::copy(head, head_.begin());
  const auto parsed = protocol::RecordBatchHeader::parse(BytesView(head_).first(head.size()));
  if (!parsed || parsed->size_in_bytes() > left) return Step::kBroken;
  const protocol::Offset base = parsed->base_offset();
  const std::int32_t delta = parsed->last_offset_delta();
  const bool fits = base.value < std::numeric_limits<std::int64_t>::max() - std::max(delta, 0);
  if (base <= last_offset_ || delta < 0 || !fits) return Step::kBroken;
  header_ = *parsed;
  last_offset_ = base + delta;
  next_position_ = position_ + parsed->size_in_bytes();
  return Step::kBatch;
}

IoResult<BytesView> BatchScanner::some_bytes_at(std::uint64_t position, std::uint64_t end) {
  const std::uint64_t buffered_until = buffered_from_ + buffered_;
  const bool here = position >= buffered_from_ && position < buffered_until;
  const std::size_t fits = here ? buffered_until - position : buffer_.size();
  return bytes_at(position, std::min<std::uint64_t>(end - position, fits));
}

IoResult<bool> BatchScanner::crc_matches() {
  std::uint32_t crc = 0;
  for (std::uint64_t at = position_ + BatchLayout::kAttributes; at < next_position_;) {
    MILENA_TRY(const BytesView piece, some_bytes_at(at, next_position_));
    if (piece.empty()) return false;
    crc = crc32c(piece, crc);
    at += piece.size();
  }
  return crc == header_->crc();
}

IoResult<std::optional<protocol::RecordBatchView>> BatchScanner::batch() {
  MILENA_TRY(const BytesView whole, bytes_at(position_, next_position_ - position_));
  const auto view = protocol::RecordBatchView::parse(whole);
  if (!view) return std::nullopt;
  return *view;
}

}  // namespace milena::storage
