// A log from the input of a fuzzer.
//
// Input: records, one after the other. Key size u8, key; value size u16 (65535: a tombstone), value. What is
// cut off at the end is shorter.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "coordinator/runtime/log_batch.h"

namespace milena::coordinator::testing_support {

class FuzzedLog {
 public:
  explicit FuzzedLog(BytesView input) : rest_(input) {}

  // The next record, at the offset after the one before; none at the end of the input.
  std::optional<LogRecord> next() {
    if (rest_.empty()) return std::nullopt;
    LogRecord record;
    record.offset = next_offset_++;
    record.key = take(take_size(1));
    if (const std::size_t size = take_size(2); size != kTombstone) record.value = take(size);
    return record;
  }

 private:
  static constexpr std::size_t kTombstone = 0xffff;

  // Bytes from the front; fewer if there are not as many.
  BytesView take(std::size_t n) {
    const BytesView taken = rest_.first(std::min(n, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::size_t take_size(std::size_t width) {
    std::size_t size = 0;
    for (const std::byte each : take(width)) size = size << 8 | std::to_integer<std::size_t>(each);
    return size;
  }

  BytesView rest_;
  std::int64_t next_offset_ = 0;
};

}  // namespace milena::coordinator::testing_support
