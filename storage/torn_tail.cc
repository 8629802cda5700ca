#include "storage/torn_tail.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "base/crc32c.h"
#include "protocol/record_batch.h"
#include "storage/batch_scanner.h"

namespace milena::storage {
namespace {

using protocol::BatchLayout;
using protocol::kBatchHeaderBytes;
using protocol::kBatchPrefixBytes;

constexpr std::size_t kWindow = 1 << 20;
constexpr std::uint64_t kSectorBytes = 512;

// Whether the 61 bytes could be the header of a batch of this log that fits into `left` bytes.
bool is_plausible(const std::byte* at, std::uint64_t left, Offset min_offset) {
  if (load_be<std::int8_t>(at + BatchLayout::kMagic) != protocol::kBatchMagic) return false;
  const auto base = load_be<std::int64_t>(at + BatchLayout::kBaseOffset);
  const auto length = load_be<std::int32_t>(at + BatchLayout::kLength);
  const auto delta = load_be<std::int32_t>(at + BatchLayout::kLastOffsetDelta);
  return base >= min_offset.value && base - min_offset.value <= std::numeric_limits<std::int32_t>::max() &&
         length >= static_cast<std::int32_t>(kBatchHeaderBytes - kBatchPrefixBytes) &&
         kBatchPrefixBytes + static_cast<std::uint64_t>(length) <= left && delta >= 0;
}

bool is_zero(BytesView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

IoResult<bool> holds_valid_batch(const File& file, std::uint64_t from, std::uint64_t end, Offset min_offset) {
  if (end < from + kBatchHeaderBytes) return false;
  std::uint64_t budget = 4 * (end - from) + kWindow;  // bytes that may be checksummed
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(kWindow);
  while (from + kBatchHeaderBytes <= end) {
    const std::size_t want = std::min<std::uint64_t>(kWindow, end - from);
    MILENA_TRY(const std::size_t got, file.read_at(from, {buffer.get(), want}));
    if (got < kBatchHeaderBytes) return false;
    const std::size_t starts = got - kBatchHeaderBytes + 1;
    for (std::size_t i = 0; i < starts; ++i) {
      const std::uint64_t at = from + i;
      if (!is_plausible(buffer.get() + i, end - at, min_offset)) continue;
      BatchScanner scanner(file, at, end, kWindow);
      MILENA_TRY(const auto step, scanner.next());
      if (step != BatchScanner::Step::kBatch) continue;
      const std::size_t size = scanner.header().size_in_bytes();
      if (size > budget) return true;
      budget -= size;
      MILENA_TRY(const bool valid, scanner.crc_matches());
      if (valid) return true;
    }
    from += starts;
  }
  return false;
}

IoResult<bool> holds_only_zeros(const File& file, std::uint64_t from, std::uint64_t end) {
  std::array<std::byte, 4096> page;
  while (from < end) {
    const std::size_t want = std::min<std::uint64_t>(page.size(), end - from);
    MILENA_TRY(const std::size_t got, file.read_at(from, MutableBytes(page).first(want)));
    if (got == 0) return true;
    if (!is_zero(BytesView(page).first(got))) return false;
    from += got;
  }
  return true;
}

IoResult<bool> holds_lost_sector(const File& file, std::uint64_t from, std::uint64_t to,
                                 std::uint64_t file_end) {
  std::array<std::byte, kSectorBytes> sector;
  for (std::uint64_t at = from; at < to;) {
    const std::uint64_t sector_end = std::min((at / kSectorBytes + 1) * kSectorBytes, file_end);
    if (sector_end <= at) return false;
    MILENA_TRY(const std::size_t got, file.read_at(at, MutableBytes(sector).first(sector_end - at)));
    if (is_zero(BytesView(sector).first(got))) return true;
    at = sector_end;
  }
  return false;
}

IoResult<bool> holds_newer_batch(const File& file, std::uint64_t start, std::uint64_t size) {
  constexpr std::size_t kLengthAt = 8, kPrefix = 12, kMagicAt = 16, kCrcAt = 17, kCheckedFrom = 21;
  constexpr std::byte kKnownMagic{2};
  std::array<std::byte, kCheckedFrom> head;
  MILENA_TRY(const std::size_t got, file.read_at(start, head));
  if (got < head.size() || head[kMagicAt] <= kKnownMagic) return false;
  const auto length = load_be<std::int32_t>(head.data() + kLengthAt);
  if (length < static_cast<std::int32_t>(kCheckedFrom - kPrefix)) return false;
  const std::uint64_t end = start + kPrefix + static_cast<std::uint64_t>(length);
  if (end > size) return false;
  std::vector<std::byte> body(end - start - kCheckedFrom);
  MILENA_TRY(const std::size_t read, file.read_at(start + kCheckedFrom, body));
  return read == body.size() && load_be<std::uint32_t>(head.data() + kCrcAt) == crc32c(body);
}

}  // namespace milena::storage
