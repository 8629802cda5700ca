// The records that the generator sends: events as JSON, of a given size, the same in every run.
//
// Numbers and words vary, so codecs find about what they find in real events: lz4 2.5, zstd 4.5 to 1.
#pragma once

#include <cstddef>
#include <vector>

#include "protocol/compression.h"

namespace milena::bench {

struct BatchShape {
  std::size_t record_bytes = 1024;  // of a record's value; there are no keys
  // The batch as it travels is not larger, unless one record is. 0: one record.
  std::size_t batch_bytes = 65536;
  protocol::CompressionType codec = protocol::CompressionType::kNone;
};

// `count` records in one batch without producer id; timestamps are `timestamp_ms`.
std::vector<std::byte> sample_batch(const BatchShape& shape, std::size_t count, std::int64_t timestamp_ms);

// The fullest batch of this shape.
std::vector<std::byte> full_batch(const BatchShape& shape, std::int64_t timestamp_ms);

}  // namespace milena::bench
