// The loaders of every small file of a log directory, on arbitrary bytes: no crash, and what was read is
// written back the same.
//
// Input: one byte that picks the loader, then the file.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>

#include "storage/epoch_cache.h"
#include "storage/followed_metadata.h"
#include "storage/index_checksums.h"
#include "storage/known_log_dirs.h"
#include "storage/last_seen.h"
#include "storage/meta_properties.h"
#include "storage/offset_checkpoint.h"
#include "storage/offset_index.h"
#include "storage/partition_metadata.h"
#include "storage/partition_name.h"
#include "storage/producer_snapshot.h"
#include "storage/segment_names.h"
#include "storage/stray_checkpoint.h"
#include "storage/time_index.h"
#include "storage/txn_index.h"

namespace milena::storage {
namespace {

void require(bool condition, std::source_location at = std::source_location::current()) {
  if (condition) return;
  std::fprintf(stderr, "%s:%u\n", at.file_name(), at.line());
  std::abort();
}

void load(std::uint8_t which, BytesView bytes) {
  const std::string_view text = as_text(bytes);
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  switch (which % 14) {
    case 0: {
      const auto read = decode_offset_checkpoint(text);
      if (read) require(decode_offset_checkpoint(encode_offset_checkpoint(*read)) == read);
      return;
    }
    case 1: {
      EpochCache cache;
      if (!cache.decode(text)) return;
      EpochCache again;
      require(again.decode(cache.encode()));
      require(std::ranges::equal(cache.entries(), again.entries()));
      return;
    }
    case 2: {
      const auto read = decode_index_checksums(text);
      if (read) require(decode_index_checksums(encode_index_checksums(*read))->size() == read->size());
      return;
    }
    case 3: {
      const auto read = decode_meta_properties(text);
      if (read) require(decode_meta_properties(encode_meta_properties(*read)).has_value());
      return;
    }
    case 4: {
      const auto read = decode_producer_snapshot(bytes);
      if (!read) return;
      (void)read->first_unstable_offset();
      const auto again = decode_producer_snapshot(encode_producer_snapshot(*read));
      require(again && again->active() == read->active());
      return;
    }
    case 5: {
      const auto read = decode_txn_index(bytes, 10);
      if (read) require(encode_txn_index(*read) == copy);
      return;
    }
    case 6: {
      const OffsetIndex index(10, IndexBytes<8>(std::move(copy)));
      if (!index.is_sound(1 << 20)) return;
      for (std::size_t i = 0; i < index.entries(); ++i)
        require(index.lookup(index.entry(i).offset).position == index.entry(i).position);
      return;
    }
    case 7: {
      const TimeIndex index(10, IndexBytes<12>(std::move(copy)));
      if (!index.is_sound()) return;
      for (std::size_t i = 0; i < index.entries(); ++i)
        require(index.lookup(index.entry(i).timestamp).offset == index.entry(i).offset);
      return;
    }
    case 9: {
      const auto read = decode_last_seen(text);
      if (read) require(decode_last_seen(encode_last_seen(*read)) == read);
      return;
    }
    case 10: {
      const auto read = decode_partition_metadata(text);
      if (read.is_valid())
        require(decode_partition_metadata(encode_partition_metadata(read.topic_id)) == read);
      return;
    }
    case 11: {
      const auto read = decode_known_log_dirs(text);
      if (read) require(decode_known_log_dirs(encode_known_log_dirs(*read)) == read);
      return;
    }
    case 12: {
      const auto read = decode_stray_checkpoint(text);
      if (read) require(decode_stray_checkpoint(encode_stray_checkpoint(*read)) == read);
      return;
    }
    case 13: {
      const auto read = decode_followed_metadata(text);
      if (read) require(decode_followed_metadata(encode_followed_metadata(*read)) == read);
      return;
    }
    default: {
      const auto name = parse_partition_name(text);
      if (name && name->state == PartitionName::State::kLive)
        require(directory_name(name->partition) == text);
      (void)parse_segment_file_name(text);
    }
  }
}

}  // namespace
}  // namespace milena::storage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  milena::storage::load(data[0], {reinterpret_cast<const std::byte*>(data) + 1, size - 1});
  return 0;
}
