#include "storage/offset_index.h"

#include "base/assert.h"

namespace milena::storage {
namespace {

std::int32_t relative_offset(const std::byte* entry) { return load_be<std::int32_t>(entry); }
std::uint32_t position(const std::byte* entry) { return load_be<std::uint32_t>(entry + 4); }

}  // namespace

OffsetIndex::Entry OffsetIndex::entry(std::size_t i) const {
  const std::byte* at = bytes_.entry(i);
  return {base_offset_ + relative_offset(at), position(at)};
}

OffsetIndex::Entry OffsetIndex::lookup(protocol::Offset offset) const {
  const std::int64_t target = offset - base_offset_;
  const std::size_t below =
      bytes_.partition_point([&](const std::byte* at) { return relative_offset(at) <= target; });
  return below == 0 ? Entry{base_offset_, 0} : entry(below - 1);
}

std::optional<OffsetIndex::Entry> OffsetIndex::at_or_beyond(std::uint64_t target) const {
  const std::size_t below =
      bytes_.partition_point([&](const std::byte* at) { return position(at) < target; });
  if (below == entries()) return std::nullopt;
  return entry(below);
}

void OffsetIndex::append(protocol::Offset offset, std::uint32_t at) {
  const std::int64_t relative = offset - base_offset_;
  MILENA_ASSERT(relative >= 0 && relative <= INT32_MAX, "the offset belongs to another segment");
  MILENA_ASSERT(entries() == 0 || offset > entry(entries() - 1).offset, "index offsets increase");
  std::byte* to = bytes_.append();
  store_be(to, static_cast<std::int32_t>(relative));
  store_be(to + 4, at);
}

void OffsetIndex::truncate_to(protocol::Offset offset) {
  const std::int64_t target = offset - base_offset_;
  bytes_.truncate(bytes_.partition_point([&](const std::byte* at) { return relative_offset(at) < target; }));
}

bool OffsetIndex::is_sound(std::uint64_t log_size) const {
  if (!bytes_.is_whole()) return false;
  std::int64_t last_offset = -1;
  std::int64_t last_position = -1;
  for (std::size_t i = 0; i < entries(); ++i) {
    const std::byte* at = bytes_.entry(i);
    if (relative_offset(at) <= last_offset || position(at) <= last_position) return false;
    last_offset = relative_offset(at);
    last_position = position(at);
  }
  return last_position < static_cast<std::int64_t>(log_size);
}

}  // namespace milena::storage
