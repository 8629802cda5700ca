// The checksums of a log's sealed index files, in one small text file of our own beside them
// (docs/formats/index_checksums.md). Kafka's index files carry none; with these, a damaged or missing index
// is noticed and rebuilt instead of believed. Losing the file costs only that safety.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/segment.h"

namespace milena::storage {

struct SegmentChecksums {
  Offset base_offset;
  std::uint32_t size = 0;  // of the .log file; the entry counts only while this is its size
  IndexChecksums checksums;
  bool operator==(const SegmentChecksums&) const = default;
};

std::string encode_index_checksums(std::span<const SegmentChecksums> segments);
// By base offset; none when the text is damaged.
std::optional<std::vector<SegmentChecksums>> decode_index_checksums(std::string_view text);

}  // namespace milena::storage
