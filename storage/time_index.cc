#include "storage/time_index.h"

#include "base/assert.h"

namespace milena::storage {
namespace {

std::int64_t timestamp_of(const std::byte* entry) { return load_be<std::int64_t>(entry); }
std::int32_t relative_offset(const std::byte* entry) { return load_be<std::int32_t>(entry + 8); }

}  // namespace

TimeIndex::Entry TimeIndex::entry(std::size_t i) const {
  const std::byte* at = bytes_.entry(i);
  return {timestamp_of(at), base_offset_ + relative_offset(at)};
}

TimeIndex::Entry TimeIndex::last() const {
  return entries() == 0 ? Entry{-1, base_offset_} : entry(entries() - 1);
}

TimeIndex::Entry TimeIndex::lookup(std::int64_t timestamp) const {
  const std::size_t below =
      bytes_.partition_point([&](const std::byte* at) { return timestamp_of(at) <= timestamp; });
  return below == 0 ? Entry{-1, base_offset_} : entry(below - 1);
}

void TimeIndex::append(std::int64_t timestamp, protocol::Offset offset) {
  const Entry before = last();
  if (timestamp <= before.timestamp) return;
  const std::int64_t relative = offset - base_offset_;
  MILENA_ASSERT(relative >= 0 && relative <= INT32_MAX, "the offset belongs to another segment");
  MILENA_ASSERT(entries() == 0 || offset > before.offset, "index offsets increase");
  std::byte* to = bytes_.append();
  store_be(to, timestamp);
  store_be(to + 8, static_cast<std::int32_t>(relative));
}

void TimeIndex::truncate_to(protocol::Offset offset) {
  const std::int64_t target = offset - base_offset_;
  bytes_.truncate(bytes_.partition_point([&](const std::byte* at) { return relative_offset(at) < target; }));
}

bool TimeIndex::is_sound() const {
  if (!bytes_.is_whole()) return false;
  std::int64_t last_timestamp = -1;
  std::int64_t last_offset = -1;
  for (std::size_t i = 0; i < entries(); ++i) {
    const std::byte* at = bytes_.entry(i);
    if (timestamp_of(at) <= last_timestamp || relative_offset(at) <= last_offset) return false;
    last_timestamp = timestamp_of(at);
    last_offset = relative_offset(at);
  }
  return true;
}

}  // namespace milena::storage
